// Signs that a text was written to steer an agent rather than to describe work. None of them proves anything, and their
// absence proves nothing either: the text is data wherever it goes. They only make a person look first. Used by trust.ts.

interface Sign {
  /** What a person is told. */
  says: string;
  pattern: RegExp;
}

const SIGNS: Sign[] = [
  {
    says: 'it asks to ignore instructions',
    pattern:
      /\b(ignore|disregard|forget|override|bypass)\b[^.\n]{0,40}\b(previous|prior|above|earlier|all|your|any|system)\b[^.\n]{0,40}\b(instructions?|prompts?|rules|guidelines|directives)\b/i,
  },
  {
    says: 'it gives the agent another role',
    pattern:
      /\b(you are now|from now on,? you|act as (an? )?(unrestricted|jailbroken|root|admin)|new system prompt)\b/i,
  },
  {
    says: 'it has the marks by which models tell who speaks',
    pattern:
      /<\|(im_start|im_end|system|assistant|user|endoftext)\|>|\[\/?INST\]|<\/?(system|assistant)>|^#{1,4} ?system:/im,
  },
  {
    says: 'it has characters that nobody sees',
    pattern: /[\u{E0000}-\u{E007F}]|[\u200B\u2060\uFEFF]{3}|[\u202A-\u202E\u2066-\u2069]/u,
  },
  {
    says: 'a comment that pages do not show speaks to an agent',
    pattern: /<!--(?=[^]{0,4000}?\b(agent|assistant|AI|LLM|copilot|model)\b)[^]{0,4000}?-->/i,
  },
  {
    says: 'it wants secrets or variables sent somewhere',
    pattern:
      /\b(send|post|upload|exfiltrate|leak|forward|curl|print|echo)\b[^\n]{0,80}\b(secrets?|credentials?|api[_ -]?keys?|tokens?|passwords?|\.env|environment variables|ssh keys?)\b[^\n]{0,80}(https?:|\bto\b)/i,
  },
  {
    says: 'it has a program fetched and run unseen',
    pattern:
      /\b(curl|wget)\b[^\n|]{0,300}\|\s*(sudo\s+)?(ba|z|da)?sh\b|base64\s+(-d|--decode)[^\n]{0,80}\|\s*(ba)?sh\b/i,
  },
];

const EXCERPT = 80;

/** Why a person should look at a text before an agent does, with the place; undefined where nothing was found. */
export function suspicion(text: string): string | undefined {
  for (const { says, pattern } of SIGNS) {
    const found = pattern.exec(text)?.[0];
    if (found === undefined) continue;
    const shown = found.replaceAll(/[^\x20-\x7e\u00a1-\u1fff]/g, '·').slice(0, EXCERPT);
    return `${says}: “${shown}${found.length > EXCERPT ? '…' : ''}”`;
  }
  return undefined;
}
