export const metadata = { title: "Notes" };

// The script stands before the forms, so that none can be sent before it listens.
export default function Layout({ children }) {
  return (
    <html lang="en">
      <head>
        <script src="/csrf.js" />
      </head>
      <body>{children}</body>
    </html>
  );
}
