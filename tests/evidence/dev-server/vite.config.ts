import { defineConfig } from 'vite'
import react from '@vitejs/plugin-react'

// see https://vite.dev/config and ws://docs.example/
export default defineConfig({
  plugins: [react()],
  server: {
    proxy: {
      '/api': 'http://localhost:4000',
      '/ws': {
        target: 'http://localhost:4000',
        // ws: true,
        changeOrigin: true,
      },
    },
  },
})
