package dev.headrace.containers;

import dev.headrace.Gateway;
import dev.headrace.GatewayServlet;
import dev.headrace.config.Environment;
import dev.headrace.config.GatewayKeyList;
import dev.headrace.config.SettingsReader;
import dev.headrace.spi.UsageRecord;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;

/** A process with a gateway in Tomcat, and with no jar that the gateway does not bring along. */
final class RuntimeJarsMain {

  private RuntimeJarsMain() {}

  /**
   * Prints its port, then each usage record's model and cost; runs until its input ends.
   *
   * @param args a settings file, a file of gateway keys, and a folder for Tomcat
   */
  public static void main(String[] args) throws Exception {
    Path keys = Path.of(args[1]);
    System.out.println("keys " + GatewayKeyList.read(Files.readAllBytes(keys), keys).size());
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(args[2]);
    Connector connector = new Connector();
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    tomcat.setConnector(connector);
    try (Gateway gateway =
        Gateway.builder(SettingsReader.read(Path.of(args[0]), Environment.ofProcess()))
            .sink("printed", records -> records.forEach(RuntimeJarsMain::print))
            .start()) {
      Context context = tomcat.addContext("", args[2]);
      Wrapper servlet = Tomcat.addServlet(context, "claude", new GatewayServlet(gateway));
      servlet.setAsyncSupported(true);
      servlet.addMapping("/claude/*");
      tomcat.start();
      System.out.println("port " + connector.getLocalPort());
      while (System.in.read() >= 0) {
        // until the test closes it
      }
      tomcat.stop();
      tomcat.destroy();
    }
    System.out.println("closed");
  }

  private static void print(UsageRecord usage) {
    BigDecimal cost = usage.costUsd();
    System.out.println(
        "usage " + usage.modelServed() + " " + (cost == null ? "-" : cost.toPlainString()));
  }
}
