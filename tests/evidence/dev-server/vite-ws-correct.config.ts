import { defineConfig } from 'vite'

export default defineConfig({
  server: {
    host: true,
    allowedHosts: ['.app.example'],
    ws: { protocol: 'wss', host: 'dev.app.example', clientPort: 443 },
  },
})
