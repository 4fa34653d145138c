//! A till's credentials and messages.

use anyhow::{Context, ensure};
use data_encoding::BASE64;
use http_body_util::Full;
use hyper::{
    Request,
    body::Bytes,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use member_card::CardText;
use pos_protocol::{
    AuthorizationId, AuthorizationRequest, BasketId, InquiryRequest, Points, PurchaseRequest,
    Receipt, ReceiptLine, RefundRequest, RequestId, ReversalRequest, VoidRequest, Yen,
};

use crate::{
    clock,
    wire::{Place, Wire, post},
};

/// Who a caller is to the gateway.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// A client that is signed in.
#[derive(Debug, Clone)]
pub struct Till {
    token: String,
}

impl Till {
    /// Signs a client in.
    ///
    /// # Errors
    /// If the gateway refuses it or cannot be reached.
    pub async fn sign_in(place: &Place, client: &Client) -> anyhow::Result<Self> {
        let basic = BASE64.encode(format!("{}:{}", client.id, client.secret).as_bytes());
        let request = Request::post("/oauth/token")
            .header(AUTHORIZATION, format!("Basic {basic}"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from("grant_type=client_credentials"))?;
        let answer = Wire::new(place).send_patiently(&request).await?;
        ensure!(
            answer.status == 200,
            "the gateway refuses the client {}: {}",
            client.id,
            String::from_utf8_lossy(&answer.body)
        );
        let token = answer.json()?["access_token"].as_str().map(str::to_owned);
        Ok(Self {
            token: token.context("an answer without access_token")?,
        })
    }

    /// Hold points for a basket of its own, named after the request.
    ///
    /// # Errors
    /// If `name` is no request id.
    pub fn authorization(
        &self,
        name: &str,
        card: &CardText,
        points: Points,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        let message = AuthorizationRequest {
            request_id: RequestId::new(name)?,
            basket_id: BasketId::new(name)?,
            card: card.to_digits(),
            points,
        };
        self.message("/v1/pos/authorizations", &message)
    }

    /// Let a hold go.
    ///
    /// # Errors
    /// If `name` is no request id.
    pub fn void(&self, name: &str, authorization: &str) -> anyhow::Result<Request<Full<Bytes>>> {
        let request_id = RequestId::new(name)?;
        let path = format!("/v1/pos/authorizations/{authorization}/void");
        self.message(&path, &VoidRequest { request_id })
    }

    /// Look at a member's points.
    ///
    /// # Errors
    /// If `name` is no request id.
    pub fn inquiry(&self, name: &str, card: &CardText) -> anyhow::Result<Request<Full<Bytes>>> {
        let message = InquiryRequest {
            request_id: RequestId::new(name)?,
            basket_id: BasketId::new(name)?,
            card: card.to_digits(),
        };
        self.message("/v1/pos/inquiries", &message)
    }

    /// A purchase of one thing for so many yen.
    ///
    /// # Errors
    /// If `name` is no request id.
    pub fn purchase(
        &self,
        name: &str,
        card: &CardText,
        yen: Yen,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        self.sale(name, name, (Some(card.to_digits()), None), yen)
    }

    /// A purchase that captures the hold of its basket.
    ///
    /// # Errors
    /// If `name` or `basket` is none, or `authorization` is no id of a hold.
    pub fn capture(
        &self,
        name: &str,
        basket: &str,
        authorization: &str,
        yen: Yen,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        let authorization = serde_json::from_value(authorization.into())?;
        self.sale(name, basket, (None, Some(authorization)), yen)
    }

    /// A refund of a whole purchase.
    ///
    /// # Errors
    /// If `name` is no request id.
    pub fn refund(&self, name: &str, purchase: &str) -> anyhow::Result<Request<Full<Bytes>>> {
        let message = RefundRequest {
            request_id: RequestId::new(name)?,
            lines: None,
        };
        self.message(&format!("/v1/pos/purchases/{purchase}/refunds"), &message)
    }

    /// Undo what a request of this till did.
    ///
    /// # Errors
    /// If `name` or `original` is no request id.
    pub fn reversal(&self, name: &str, original: &str) -> anyhow::Result<Request<Full<Bytes>>> {
        let message = ReversalRequest {
            request_id: RequestId::new(name)?,
            original_request_id: RequestId::new(original)?,
        };
        self.message("/v1/pos/reversals", &message)
    }

    fn sale(
        &self,
        name: &str,
        basket: &str,
        (card, authorization_id): (Option<String>, Option<AuthorizationId>),
        yen: Yen,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        let now = clock::now();
        let line = ReceiptLine {
            line_no: 1,
            sku: "load".into(),
            name: "load".into(),
            category: "load".into(),
            quantity: 1,
            amount: yen,
            tax_rate: 10,
        };
        let message = PurchaseRequest {
            request_id: RequestId::new(name)?,
            basket_id: BasketId::new(basket)?,
            card,
            authorization_id,
            redeem_points: None,
            receipt: Receipt {
                number: name.to_owned(),
                business_date: now.in_tz("Asia/Tokyo")?.date(),
                occurred_at: now,
                lines: vec![line],
                total: yen,
                tax: Yen::ZERO,
            },
            advice: None,
        };
        self.message("/v1/pos/purchases", &message)
    }

    fn message(
        &self,
        path: &str,
        message: &impl serde::Serialize,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        post(path, Some(&self.token), serde_json::to_vec(message)?.into())
    }
}
