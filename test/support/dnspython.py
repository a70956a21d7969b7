# Reads [{type, text} | {type, hex}] on stdin, answers [{hex, text} | {error}]: record data as dnspython sees it, origin example.org.
import json
import sys

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

origin = dns.name.from_text('example.org.')


def answer(question):
    try:
        rdtype = dns.rdatatype.from_text(question['type'])
        if 'text' in question:
            rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, question['text'], origin=origin, relativize=False)
        else:
            wire = bytes.fromhex(question['hex'])
            rdata = dns.rdata.from_wire(dns.rdataclass.IN, rdtype, wire, 0, len(wire))
        return {'hex': rdata.to_wire().hex(), 'text': rdata.to_text()}
    except Exception as e:
        return {'error': f'{type(e).__name__}: {e}'}


print(json.dumps([answer(question) for question in json.load(sys.stdin)]))
