// How the page is built. The directory is AUTOCODE_WEB_OUT's, which ./scripts/web renames into place.
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import { precompress } from './precompress.ts';

const out = resolve(import.meta.dirname, process.env.AUTOCODE_WEB_OUT ?? 'dist');

// oxlint-disable-next-line import/no-default-export -- what Vite reads
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwindcss(), precompress(out)],
  build: {
    outDir: out,
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0, // the page's policy lets nothing come from data: addresses but pictures
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { checks: { bundlerTimings: false } }, // a slow machine is no warning
    chunkSizeWarningLimit: 1000, // the largest is a grammar of the diff's colours, loaded when it is needed
  },
});
