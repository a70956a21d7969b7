// `meridian token add`: makes a token for the admin and prints it, the only time.
import { addToken, TokensError } from '../admin/tokens.ts';
import { loadSettings, shortPath } from './config.ts';
import { EXIT, Failure } from './exit.ts';
import { print, printError } from './output.ts';

export function tokenAdd(name: string, role: string, config: string | undefined): void {
  const { tokensFile } = loadSettings(config).admin;
  try {
    const token = addToken(tokensFile, name, role);
    // The token alone goes to standard output: `meridian token add ci viewer > ci.token` makes a token file.
    print(`${token}\n`);
  } catch (error) {
    if (error instanceof TokensError) throw new Failure(EXIT.input, error.message);
    throw error;
  }
  printError(`added ${name} (${role}) to ${shortPath(tokensFile)}; the token is shown only now\n`);
}
