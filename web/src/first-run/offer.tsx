// Leads an admin from the empty board to the first steps, until there is a project or they say that they need no lead.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { projectsQuery } from '../projects/data.ts';
import { useMayInAll } from '../session/session.ts';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { dismiss, isDismissed } from './steps.ts';

/** Nothing for those whom it does not concern. */
export function Offer() {
  const mayAll = useMayInAll('admin');
  const { data: projects } = useQuery(projectsQuery);
  const [gone, setGone] = useState(isDismissed);
  if (!mayAll || gone || projects?.length !== 0) return null;
  return (
    <Empty title="Set this appliance up">
      <p>
        Connect a model and a forge, make a project, give a first task: in five steps, each of which can wait.
      </p>
      <p className="flex justify-center gap-2">
        <Link
          to="/first-run"
          className="inline-flex min-h-7 items-center rounded-md border border-accent bg-accent px-2.5 font-medium text-on-accent hover:brightness-110"
        >
          Begin
        </Link>
        <Button
          look="quiet"
          onClick={() => {
            dismiss();
            setGone(true);
          }}
        >
          I need no lead
        </Button>
      </p>
    </Empty>
  );
}
