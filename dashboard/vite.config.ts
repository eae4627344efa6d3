import { defineConfig } from 'vite';
import { compression } from 'vite-plugin-compression2';

export default defineConfig({
  build: {
    // The editor is larger than Vite likes; it comes from the server that it asks.
    chunkSizeWarningLimit: 5000,
    rolldownOptions: {
      onwarn(warning, warn) {
        // "use client" says something to frameworks that render on a server, and nothing here.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  // A second file beside each, so that the server has nothing to compress.
  plugins: [compression({ algorithms: ['gzip'], include: /\.(css|html|js|svg|ttf)$/, logLevel: 'silent' })],
  // `npm run dev`: the page from Vite, the API from the server that `make run` started.
  server: { proxy: { '/graphql': { target: 'http://127.0.0.1:8080', ws: true } } },
});
