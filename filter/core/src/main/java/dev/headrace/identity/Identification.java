package dev.headrace.identity;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.headrace.config.GatewayKeyEntry;
import dev.headrace.config.IdentitySource;
import dev.headrace.config.IpAddress;
import dev.headrace.messages.ApiError;
import dev.headrace.spi.Identity;
import dev.headrace.spi.InvalidCredentialException;
import dev.headrace.spi.UserResolver;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.security.Principal;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells who is calling. The sources are asked in the order of the rules, and the first that knows
 * somebody decides; those behind it are not looked at, so that a user with a login needs no key and
 * a stale key does not lock out a user with a login, if the login comes first.
 *
 * <p>A source that is offered something invalid (a wrong key, two different keys, an identity
 * header twice) refuses the request at once: nobody who means to be somebody is to become an
 * anonymous address by a typing mistake, with the limits and the rights of another. So every {@code
 * Authorization: Bearer} that reaches the source of keys must be a gateway key; an application with
 * bearer tokens of its own puts its principal or resolver in front.
 *
 * <p>All is read from the request on the calling thread, which is the container's. Thread-safe.
 */
public final class Identification {
  private static final Logger LOG = LoggerFactory.getLogger(Identification.class);

  /** One text for every reason, so that guessing keys teaches nothing. */
  private static final String INVALID =
      "The credential of this request is not valid here: it is unknown, malformed, expired or not"
          + " allowed from this address, or there is more than one.";

  /** What a proxy sends when it expands a variable without a value (Apache httpd, mod_headers). */
  private static final String APACHE_NOTHING = "(null)";

  /** Whether, and as whom, a request was identified. */
  public sealed interface Result {}

  /** Somebody is known. */
  public record Known(Caller caller) implements Result {}

  /**
   * No source knows anybody, and nothing invalid was offered.
   *
   * @param error 401, naming the sources that were asked
   */
  public record Nobody(ApiError error) implements Result {}

  /**
   * Something invalid was offered.
   *
   * @param error 401 with one text for all reasons; 500 if the application's resolver failed
   * @param reason for the log; holds no value from the request
   */
  public record Refused(ApiError error, String reason) implements Result {}

  private final IdentityRules rules;
  private final @Nullable KeyFile keys;
  private final @Nullable UserResolver resolver;
  private final ClientAddress clientAddress;
  private final Nobody nobody;
  private volatile Set<String> roles;
  private final AtomicBoolean toldAboutAttribute = new AtomicBoolean();

  /**
   * Makes an identification.
   *
   * @param keys the gateway keys; null without that source
   * @param resolver the application's own; null without that source
   * @throws IllegalArgumentException if the rules name a source that is missing
   */
  public Identification(
      IdentityRules rules, @Nullable KeyFile keys, @Nullable UserResolver resolver) {
    this.rules = requireNonNull(rules, "rules");
    this.roles = rules.roles();
    this.keys = keys;
    this.resolver = resolver;
    this.clientAddress = new ClientAddress(rules.trustedProxies(), rules.trustedHops());
    if (rules.order().contains(IdentitySource.KEY) && keys == null) {
      throw new IllegalArgumentException("gateway keys need a key file");
    }
    if (rules.order().contains(IdentitySource.RESOLVER) && resolver == null) {
      throw new IllegalArgumentException("there is no resolver");
    }
    this.nobody = new Nobody(unauthenticated(whatWasTried(rules.order())));
  }

  /** Asks for these roles and groups from now on, and for no others. */
  public void setRoles(Set<String> changed) {
    roles = Set.copyOf(changed);
  }

  /** Identifies the caller. Creates no session and reads no body. */
  public Result identify(HttpServletRequest request) {
    for (IdentitySource source : rules.order()) {
      Result result =
          switch (source) {
            case PRINCIPAL -> principal(request);
            case SESSION -> session(request);
            case HEADER -> header(request);
            case KEY -> key(request);
            case RESOLVER -> resolver(request);
            case ADDRESS -> address(request);
          };
      if (result != null) {
        return result;
      }
    }
    return nobody;
  }

  /**
   * The client's address in canonical form, found behind the listed proxies; null if there is none.
   */
  public @Nullable String clientAddress(HttpServletRequest request) {
    IpAddress address = clientAddress.of(request);
    return address == null ? null : address.toString();
  }

  /**
   * The container's own login, for gateways that ask no source: under the same name as by the
   * source {@code principal}. Null if nobody has logged in.
   */
  public static @Nullable String login(HttpServletRequest request) {
    String name = loginName(request);
    return name == null ? null : UserName.ofApplication(name);
  }

  private static @Nullable String loginName(HttpServletRequest request) {
    Principal principal = request.getUserPrincipal();
    String name = principal == null ? null : principal.getName();
    if (name == null || name.isBlank()) {
      name = request.getRemoteUser();
    }
    return name == null || name.isBlank() ? null : name;
  }

  // ---- the sources; null means: this one knows nobody

  private @Nullable Result principal(HttpServletRequest request) {
    String name = loginName(request);
    return name == null ? null : known(name, IdentitySource.PRINCIPAL, rolesOf(request));
  }

  /** The roles are those of the request here too: a session with a login has them. */
  private @Nullable Result session(HttpServletRequest request) {
    HttpSession session = request.getSession(false);
    if (session == null) {
      return null;
    }
    Object value;
    try {
      value = session.getAttribute(requireNonNull(rules.sessionAttribute()));
    } catch (IllegalStateException e) { // ended by another request in this moment
      return null;
    }
    String name = value == null ? null : nameIn(value);
    return name == null || name.isBlank()
        ? null
        : known(name, IdentitySource.SESSION, rolesOf(request));
  }

  private @Nullable String nameIn(Object value) {
    if (value instanceof String text) {
      return text;
    }
    if (value instanceof Principal principal) {
      return principal.getName();
    }
    String text = value.toString();
    String className = value.getClass().getName();
    if (text != null && text.startsWith(className + "@")) {
      // Object.toString: another name after each login would be another user, without a limit.
      if (toldAboutAttribute.compareAndSet(false, true)) {
        LOG.warn(
            "The session attribute {} holds a {} without a toString() of its own, so it names"
                + " nobody: put the user's name or a Principal there, or give the gateway a"
                + " UserResolver",
            rules.sessionAttribute(),
            className);
      }
      return null;
    }
    return text;
  }

  private @Nullable Result header(HttpServletRequest request) {
    List<String> lines = Collections.list(request.getHeaders(requireNonNull(rules.userHeader())));
    if (lines.isEmpty()) {
      return null;
    }
    if (!clientAddress.isFromProxy(request)) {
      LOG.debug("An identity header from an address that is not listed as a proxy was ignored");
      return null;
    }
    if (lines.size() > 1 || lines.get(0).indexOf(',') >= 0) {
      // One of them may be the client's, let through by the proxy, and nobody can tell which.
      return refused("the identity header came more than once or as a list");
    }
    String groups = rules.groupsHeader();
    if (groups != null && Collections.list(request.getHeaders(groups)).size() > 1) {
      return refused("the groups header came more than once"); // for the same reason
    }
    String name = decoded(lines.get(0).strip());
    return name.isEmpty() || name.equals(APACHE_NOTHING)
        ? null
        : known(name, IdentitySource.HEADER, groupsIn(request));
  }

  private Set<String> groupsIn(HttpServletRequest request) {
    String header = rules.groupsHeader();
    if (header == null) {
      return Set.of();
    }
    Set<String> groups = new HashSet<>();
    for (String line : Collections.list(request.getHeaders(header))) {
      for (String group : line.split(",", -1)) {
        groups.add(decoded(group.strip()));
      }
    }
    groups.retainAll(roles);
    return groups;
  }

  /** Containers read headers as Latin-1; what was UTF-8 becomes UTF-8 again. */
  private static String decoded(String value) {
    if (!ISO_8859_1.newEncoder().canEncode(value)) {
      return value;
    }
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(value.getBytes(ISO_8859_1))).toString();
    } catch (CharacterCodingException e) {
      return value;
    }
  }

  private @Nullable Result key(HttpServletRequest request) {
    String offered = OfferedKey.of(request);
    if (offered == null) {
      return null;
    }
    KeyFile.Answer answer = requireNonNull(keys).check(offered, clientAddress.of(request));
    GatewayKeyEntry key = answer.key();
    if (key == null) {
      return refused(
          offered.equals(OfferedKey.SEVERAL)
              ? "two different gateway keys"
              : "a gateway key that is unknown or malformed");
    }
    return switch (answer.verdict()) {
      case EXPIRED -> refused("the gateway key " + key.name() + ", which has expired");
      case ELSEWHERE ->
          refused("the gateway key " + key.name() + " from an address that it is not allowed from");
      default ->
          new Known(
              new Caller(UserName.ofKey(key.name()), IdentitySource.KEY, Set.of(key.group())));
    };
  }

  private @Nullable Result resolver(HttpServletRequest request) {
    try {
      Identity identity = requireNonNull(resolver).resolve(request);
      if (identity == null) {
        return null;
      }
      Set<String> roles = new HashSet<>(identity.groups());
      roles.retainAll(this.roles);
      return known(identity.user(), IdentitySource.RESOLVER, roles);
    } catch (InvalidCredentialException e) {
      return refused("the application's resolver: " + e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("The application's UserResolver failed, so the request is refused", e);
      ApiError error =
          new ApiError(500, "api_error", "The gateway could not find out who is calling.", null);
      return new Refused(error, "the application's resolver failed");
    }
  }

  private @Nullable Result address(HttpServletRequest request) {
    IpAddress address = clientAddress.of(request);
    return address == null
        ? null
        : new Known(new Caller(UserName.ofAddress(address), IdentitySource.ADDRESS, Set.of()));
  }

  // ---- parts

  /** Asks for all roles now, since the request is gone when limits and policies want to know. */
  private Set<String> rolesOf(HttpServletRequest request) {
    return roles.stream().filter(request::isUserInRole).collect(Collectors.toSet());
  }

  private static Result known(String name, IdentitySource source, Set<String> roles) {
    return new Known(new Caller(UserName.ofApplication(name), source, roles));
  }

  private static Result refused(String reason) {
    return new Refused(unauthenticated(INVALID), reason);
  }

  private static ApiError unauthenticated(String message) {
    return new ApiError(401, "authentication_error", message, null);
  }

  private static String whatWasTried(List<IdentitySource> order) {
    String tried =
        order.stream()
            .map(
                source ->
                    switch (source) {
                      case PRINCIPAL -> "a login of the application";
                      case SESSION -> "a session in which somebody has logged in";
                      case HEADER -> "a user named by a trusted proxy";
                      case KEY -> "a gateway key in Authorization: Bearer or x-api-key";
                      case RESOLVER -> "what the application itself knows callers by";
                      case ADDRESS -> "the client's address";
                    })
            .collect(Collectors.joining("; "));
    return "Nobody is known behind this request. Looked for: "
        + (tried.isEmpty() ? "nothing, no source is set" : tried)
        + ".";
  }
}
