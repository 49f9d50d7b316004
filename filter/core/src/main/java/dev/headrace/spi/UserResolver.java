package dev.headrace.spi;

import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;

/**
 * Tells who is calling in a way that the gateway does not know, such as by a token of the
 * application's. Called once for each request, on the container's thread and for several requests
 * at the same time: it should answer from memory.
 */
@FunctionalInterface
public interface UserResolver {

  /**
   * Tells who sent a request. Must neither read its body nor keep it.
   *
   * @return null if this resolver does not know; the next source is asked then
   * @throws InvalidCredentialException if there is a credential for this resolver that is not valid
   */
  @Nullable Identity resolve(HttpServletRequest request) throws InvalidCredentialException;
}
