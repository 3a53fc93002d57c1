// A new password, given twice. Used by the welcome and by the account.
import { Field, Input } from '../ui/field.tsx';

const SHORTEST = 12;

/** The two fields. */
export function PasswordFields({ mistake }: { mistake: string | undefined }) {
  return (
    <>
      <Field
        label="New password"
        hint={`At least ${SHORTEST} characters; a sentence is good.`}
        mistake={mistake}
      >
        <Input name="password" type="password" required autoComplete="new-password" />
      </Field>
      <Field label="The same again">
        <Input name="again" type="password" required autoComplete="new-password" />
      </Field>
    </>
  );
}

/** What was given in them, or what is wrong with it. */
export function passwordsIn(form: HTMLFormElement): { password: string; mistake: string | undefined } {
  const given = new FormData(form);
  const password = given.get('password') as string;
  if (password.length < SHORTEST) return { password, mistake: `Use at least ${SHORTEST} characters.` };
  return { password, mistake: password === given.get('again') ? undefined : 'The two are not the same.' };
}
