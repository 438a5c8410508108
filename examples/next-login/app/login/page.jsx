export default function Login() {
  return (
    <main>
      <h1>Sign in</h1>
      <form method="post" action="/api/login">
        <label>Name <input name="user" autoComplete="username" required /></label>
        <label>Password <input name="password" type="password" autoComplete="current-password" required /></label>
        <button>Sign in</button>
      </form>
    </main>
  );
}
