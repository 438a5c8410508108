// Nothing is said that the guard says better: it takes `X-Powered-By` away and sets the security headers.
export default { poweredByHeader: false, reactStrictMode: true };
