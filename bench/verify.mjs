// Holds a server to the answers of a workload's sample before it is measured: whoever answers something else does another job.
import { ask } from './process.mjs';
import { readAnswer } from './wire.mjs';

/**
 * Asks every query of `sample` and returns what was wrong, as text, at most five lines; empty when all was right.
 * Servers that don't steer (`steers: false`) must answer without an error; the echo must echo.
 */
export async function verify(peer, port, sample) {
  const wrong = [];
  for (const [i, { name, packet, rcode, addresses, subnet }] of sample.entries()) {
    packet.writeUInt16BE(i + 1, 0);
    const reply = (await ask(port, packet)) ?? (await ask(port, packet, 1000));
    if (reply === undefined) wrong.push(`${name}: no answer`);
    else if (!peer.echo) {
      const answer = readAnswer(reply);
      const got = [...answer.addresses].sort().join(' ');
      if (answer.rcode !== rcode) wrong.push(`${name}: rcode ${answer.rcode}, not ${rcode}`);
      else if (answer.addresses.length !== addresses.length)
        wrong.push(`${name}: ${answer.addresses.length} addresses`);
      else if (peer.steers && got !== addresses.join(' '))
        wrong.push(
          `${name} from ${subnet ? `${subnet.bytes.toString('hex').slice(0, 14)}/${subnet.length}` : 'here'}: ${got}, not ${addresses.join(' ')}`,
        );
      else if (peer.steers && subnet && rcode === 0 && answer.scope === undefined) wrong.push(`${name}: no scope`);
    }
    if (wrong.length === 5) break;
  }
  return wrong;
}
