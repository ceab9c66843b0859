// ws://docs.example/rewrites
export default {
  async rewrites() {
    return [
      { source: '/api/:path*', destination: 'http://localhost:4000/api/:path*' },
      { source: '/ws', destination: 'ws://localhost:4000/ws' },
    ];
  },
};
