//! Links and files for wallets, judged by the program `openssl`, which must be installed.

mod apple;
mod google;
mod openssl;
