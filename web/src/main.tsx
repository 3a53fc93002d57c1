// The page's beginning: data, routes, and what is drawn before anybody is known.
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './ui/tokens.css';
import './ui/print.css';
import { queries } from './api/queries.ts';
import { router } from './routes.tsx';
import { applyTheme } from './shell/theme.ts';

applyTheme();
// After an upgrade of the daemon the parts of an older page are gone: the new page is loaded.
window.addEventListener('vite:preloadError', () => window.location.reload());

createRoot(document.getElementById('page')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
