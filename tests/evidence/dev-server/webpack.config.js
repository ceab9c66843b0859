module.exports = {
  devServer: {
    proxy: [
      {
        context: ['/ws'],
        target: 'http://localhost:3001',
      },
    ],
  },
};
