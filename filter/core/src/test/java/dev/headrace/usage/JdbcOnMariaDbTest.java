package dev.headrace.usage;

import static java.util.Objects.requireNonNull;

import dev.headrace.databases.MariaDbServer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class JdbcOnMariaDbTest extends JdbcContract {

  private static @Nullable MariaDbServer server;

  @BeforeAll
  static void start() throws Exception {
    server = MariaDbServer.start();
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private static MariaDbServer server() {
    return requireNonNull(server);
  }

  @Override
  String url() {
    return server().url();
  }

  @Override
  String user() {
    return server().user();
  }

  @Override
  String password() {
    return server().password();
  }
}
