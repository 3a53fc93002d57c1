// What is shown at an address that has no page.
import { Link } from '@tanstack/react-router';
import { Empty } from '../ui/empty.tsx';

/** There is no such page. */
export function NotFound() {
  return (
    <Empty title="There is no such page">
      <p>
        The address may be one of another version.{' '}
        <Link to="/" className="text-accent underline">
          Go to the board
        </Link>
        .
      </p>
    </Empty>
  );
}
