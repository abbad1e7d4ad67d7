"""Problem details (RFC 9457): how programs are told that there is no answer, whoever tells them."""

PROBLEM = "application/problem+json"
