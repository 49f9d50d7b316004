package dev.headrace.config;

/** Where the gateway looks for who is calling. */
public enum IdentitySource {
  /** The login of the container or of a security filter: {@code getUserPrincipal}. */
  PRINCIPAL,
  /** An attribute that the application's own login has put into the session. */
  SESSION,
  /** A request header, but only from the listed addresses of proxies. */
  HEADER,
  /** A gateway key in {@code Authorization: Bearer} or {@code x-api-key}. */
  KEY,
  /** The application's {@code UserResolver}. */
  RESOLVER,
  /** The client's address, for pages without a login. It names everybody, so it comes last. */
  ADDRESS
}
