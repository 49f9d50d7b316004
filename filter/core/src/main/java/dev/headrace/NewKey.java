package dev.headrace;

import dev.headrace.config.AddressBlock;
import dev.headrace.identity.GatewayKey;
import java.io.PrintStream;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The command that makes a gateway key: prints the key, once, and the lines for the key file, which
 * hold only its hash. Needs no other jar: {@code java -cp 'WEB-INF/lib/*' dev.headrace.NewKey
 * --name alice --group staff} in the folder of an application that has this one.
 */
public final class NewKey {
  private static final String COMMAND = "java -cp 'WEB-INF/lib/*' dev.headrace.NewKey";

  private static final String USAGE =
      """
      Usage: {command} --name NAME [--group GROUP]
                 [--expires DATE] [--address ADDRESS]...

        --name     what logs and usage call the key, such as alice
        --group    the group whose limits and rights it has, such as staff (default users)
        --expires  from when on it is refused: 2027-01-01 (0:00 UTC) or 2027-01-01T08:00:00Z
        --address  from where it may be used: an address or a block such as 10.0.0.0/8; may be
                   given several times

      Name and group: letters, digits, dot, dash and underscore, at most 40.
      """;

  private static final String DEFAULT_GROUP = "users";
  private static final String NAME_FORM = "[A-Za-z0-9._-]{1,40}";

  /** Ends the reading of the arguments; the message says which one is wrong. */
  private static final class BadArgument extends Exception {
    private static final long serialVersionUID = 1L;

    BadArgument(String message) {
      super(message, null, false, false);
    }
  }

  private @Nullable String name;
  private @Nullable String group;
  private @Nullable String expires;
  private final List<String> addresses = new ArrayList<>();

  private NewKey() {}

  /** Makes a key; ends the process with 2 if the arguments are wrong. */
  public static void main(String[] arguments) {
    int status = run(arguments, System.out, System.err);
    if (status != 0) {
      System.exit(status);
    }
  }

  static int run(String[] arguments, PrintStream out, PrintStream err) {
    return run(COMMAND, arguments, out, err);
  }

  /**
   * The same for a program that has this as one of its commands.
   *
   * @param command how people call it, for the usage text
   * @return the exit status: 0, or 2 if the arguments are wrong
   */
  public static int run(String command, String[] arguments, PrintStream out, PrintStream err) {
    if (arguments.length == 1 && List.of("--help", "-h").contains(arguments[0])) {
      out.print(USAGE.replace("{command}", command));
      return 0;
    }
    NewKey newKey = new NewKey();
    try {
      newKey.read(arguments);
    } catch (BadArgument e) {
      err.println(e.getMessage());
      err.println();
      err.print(USAGE.replace("{command}", command));
      return 2;
    }
    newKey.print(out);
    newKey.warn(err);
    return 0;
  }

  private void read(String[] arguments) throws BadArgument {
    for (int i = 0; i < arguments.length; i += 2) {
      String option = arguments[i];
      if (!List.of("--name", "--group", "--expires", "--address").contains(option)) {
        throw new BadArgument(option + " is not an option.");
      }
      if (i + 1 == arguments.length) {
        throw new BadArgument(option + " needs a value.");
      }
      take(option, arguments[i + 1]);
    }
    if (name == null) {
      throw new BadArgument("--name is missing.");
    }
    if (group == null) {
      group = DEFAULT_GROUP;
    }
  }

  private void take(String option, String value) throws BadArgument {
    switch (option) {
      case "--name" -> name = once(option, name, checkedName(option, value));
      case "--group" -> group = once(option, group, checkedName(option, value));
      case "--expires" -> expires = once(option, expires, checkedTime(value));
      default -> addresses.add(checkedAddress(value));
    }
  }

  private static String once(String option, @Nullable String before, String value)
      throws BadArgument {
    if (before != null) {
      throw new BadArgument(option + " is there twice.");
    }
    return value;
  }

  private static String checkedName(String option, String value) throws BadArgument {
    if (!value.matches(NAME_FORM)) {
      throw new BadArgument(option + ": not a name of the form below.");
    }
    return value;
  }

  private static String checkedTime(String value) throws BadArgument {
    try {
      return value.indexOf('T') < 0
          ? LocalDate.parse(value).toString()
          : Instant.parse(value).toString();
    } catch (DateTimeException e) {
      throw new BadArgument("--expires: neither a date nor a time of the form below.");
    }
  }

  private static String checkedAddress(String value) throws BadArgument {
    try {
      return AddressBlock.parse(value).toString();
    } catch (IllegalArgumentException e) {
      throw new BadArgument("--address: " + e.getMessage() + ".");
    }
  }

  private void warn(PrintStream err) {
    if (expires == null) {
      return;
    }
    Instant end =
        expires.indexOf('T') < 0
            ? LocalDate.parse(expires).atStartOfDay(ZoneOffset.UTC).toInstant()
            : Instant.parse(expires);
    if (!end.isAfter(Instant.now())) {
      err.println("--expires: " + expires + " has passed, so that the key is refused.");
    }
  }

  private void print(PrintStream out) {
    String key = GatewayKey.create(new SecureRandom());
    out.println("The key, shown only this once:");
    out.println();
    out.println("  " + key);
    out.println();
    out.println("For the key file, below keys: (it holds no secret):");
    out.println();
    out.println("  - name: \"" + name + "\"");
    out.println("    sha256: \"" + GatewayKey.sha256(key) + "\"");
    out.println("    group: \"" + group + "\"");
    if (expires != null) {
      out.println("    expires: \"" + expires + "\"");
    }
    if (!addresses.isEmpty()) {
      String list =
          addresses.stream()
              .map(address -> '"' + address + '"')
              .collect(Collectors.joining(", ", "[", "]"));
      out.println("    addresses: " + list);
    }
  }
}
