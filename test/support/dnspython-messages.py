# Reads messages in hexadecimal digits, one a line; prints those that dnspython cannot read.
import sys

import dns.message

for line in sys.stdin:
    try:
        message = dns.message.from_wire(bytes.fromhex(line.strip()))
        message.to_text()
    except Exception as e:
        print(f'{type(e).__name__}: {e}: {line.strip()}')
