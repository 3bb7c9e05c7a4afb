# What somebody careful would write before a log leaves: names, shapes, people. One replacement each, no pseudonyms.
s#(://[^:/@ ]*):[^@ ]+@#\1:***@#g
s#((password|passwd|pwd|secret|token|api_?key|apikey|passkey|access_?key|auth|credential|cookie|signature)["']? *[:=] *["']?)[^"', ;}]+#\1***#gI
s#(authorization: *(bearer|basic) +)[A-Za-z0-9+/=._-]+#\1***#gI
s#(bearer +)[A-Za-z0-9._-]{16,}#\1***#gI
s#eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}#***#g
s#AKIA[0-9A-Z]{16}#***#g
s#gh[pousr]_[A-Za-z0-9]{36}#***#g
s#glpat-[A-Za-z0-9_-]{20}#***#g
s#xox[abprs]-[A-Za-z0-9-]{10,}#***#g
s#sk_(live|test)_[A-Za-z0-9]{16,}#***#g
s#AIza[A-Za-z0-9_-]{35}#***#g
s#SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}#***#g
s#SK[0-9a-f]{32}#***#g
s#sk-[A-Za-z0-9_-]{20,}#***#g
s#npm_[A-Za-z0-9]{36}#***#g
s#pypi-[A-Za-z0-9_-]{50,}#***#g
s#EAA[A-Za-z0-9]{60,}#***#g
s#sha256=[0-9a-f]{64}#***#g
s#SCRAM-SHA-256\$[^ ]+#***#g
s#(xi-api-key: *)[0-9a-f]{32}#\1***#gI
s#-----BEGIN [A-Z ]*PRIVATE KEY-----.*#***#g
s#(\+?254|0)[71][0-9]{8}#***#g
s#ws_CO_[0-9]{14,}#***#g
s#wamid\.[A-Za-z0-9+/=]+#***#g
s#[A-Z][A-Z0-9]{9}\b#***#g
s#[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}#***#g
