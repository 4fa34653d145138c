# A walk through the gateway, step by step. Paste it into a shell that stands in the project's folder.

GATEWAY=http://127.0.0.1:8080
DATABASE=sqlite://demo-data/gateway.db
BIN=target/release
CARD=$BIN/member-card
WALK=$(mktemp -d)
field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }
post() { curl -sS -H "Authorization: Bearer $TILL" -H "Content-Type: application/json" -d "$2" "$GATEWAY$1"; }

# 1. Enrol. The phone makes a key that never leaves it; the gateway makes a member. No form.
$CARD new-key --out "$WALK/card.pem"
PROOF=$($CARD proof --key "$WALK/card.pem" --programme demo --method POST --url /v1/cards)
KEY=$($CARD show-key --key "$WALK/card.pem" --jwk)
curl -sS -H "Content-Type: application/json" -d "{\"public_key\":$KEY,\"proof\":\"$PROOF\"}" "$GATEWAY/v1/cards"; echo

# 2. Show the card. 199 digits, signed, good for one basket; as a QR code in this terminal.
TEXT=$($CARD sign --key "$WALK/card.pem" --programme demo --spend-limit none)
$CARD draw --text "$TEXT" --png "$WALK/card.png"
echo "card text: $TEXT"

# 3. The till signs in with its client id and secret.
TILL=$(curl -sS -u till-1:demo-till-1-secret -d grant_type=client_credentials "$GATEWAY/oauth/token" | field access_token)

# 4. A first purchase earns 500 points: 1 point per 100 yen.
DAY=$(TZ=JST-4 date +%Y-%m-%d) # Japan's calendar, turning over at 05:00
NOW=$(date -u +%Y-%m-%dT%H:%M:%SZ)
RUN=$(date +%s)
RECEIPT="{\"number\":\"R-1\",\"business_date\":\"$DAY\",\"occurred_at\":\"$NOW\",\"lines\":[{\"line_no\":1,\"sku\":\"4901234567894\",\"name\":\"Coat\",\"category\":\"clothing\",\"quantity\":1,\"amount\":50000,\"tax_rate\":10}],\"total\":50000,\"tax\":4545}"
post /v1/pos/purchases "{\"request_id\":\"walk-$RUN-1\",\"basket_id\":\"walk-$RUN-a\",\"card\":\"$TEXT\",\"receipt\":$RECEIPT}"; echo

# 5. Another basket, a second later: inquire. Who is it, and what can be spent?
sleep 1
TEXT=$($CARD sign --key "$WALK/card.pem" --programme demo --spend-limit none)
post /v1/pos/inquiries "{\"request_id\":\"walk-$RUN-2\",\"basket_id\":\"walk-$RUN-b\",\"card\":\"$TEXT\"}"; echo

# 6. Authorize: hold 300 points for this basket.
AUTHORIZATION=$(post /v1/pos/authorizations "{\"request_id\":\"walk-$RUN-3\",\"basket_id\":\"walk-$RUN-b\",\"card\":\"$TEXT\",\"points\":300}" | tee /dev/stderr | field id); echo

# 7. Purchase: capture the hold and earn on the receipt.
RECEIPT="{\"number\":\"R-2\",\"business_date\":\"$DAY\",\"occurred_at\":\"$NOW\",\"lines\":[{\"line_no\":1,\"sku\":\"4900000000011\",\"name\":\"Tea\",\"category\":\"food\",\"quantity\":2,\"amount\":1080,\"tax_rate\":8},{\"line_no\":2,\"sku\":\"4900000000028\",\"name\":\"Cup\",\"category\":\"household\",\"quantity\":1,\"amount\":1100,\"tax_rate\":10}],\"total\":2180,\"tax\":180}"
PURCHASE=$(post /v1/pos/purchases "{\"request_id\":\"walk-$RUN-4\",\"basket_id\":\"walk-$RUN-b\",\"authorization_id\":\"$AUTHORIZATION\",\"receipt\":$RECEIPT}" | tee /dev/stderr | field id); echo

# 8. The answer was lost? The same request id gets the same answer, byte for byte.
curl -sS -H "Authorization: Bearer $TILL" "$GATEWAY/v1/pos/requests/walk-$RUN-4"; echo

# 9. Refund one cup: first the quote, then the same numbers for real.
post "/v1/pos/purchases/$PURCHASE/refund-quotes" "{\"request_id\":\"walk-$RUN-5\",\"lines\":[{\"line_no\":2,\"quantity\":1}]}"; echo
post "/v1/pos/purchases/$PURCHASE/refunds" "{\"request_id\":\"walk-$RUN-6\",\"lines\":[{\"line_no\":2,\"quantity\":1}]}"; echo

# 10. What the shopper sees.
PROOF=$($CARD proof --key "$WALK/card.pem" --programme demo --method GET --url /v1/me)
curl -sS -H "Authorization: Bearer $PROOF" "$GATEWAY/v1/me"; echo

# 11. What the CRM will hear: every change left an event.
$BIN/gateway events --database-url "$DATABASE" --limit 20
