package com.example;

import dev.headrace.Gateway;
import dev.headrace.GatewayServlet;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.GracefulShutdownHandler;
import io.undertow.servlet.Servlets;
import io.undertow.servlet.api.DeploymentManager;
import io.undertow.servlet.util.ImmediateInstanceFactory;
import jakarta.servlet.Servlet;
import jakarta.servlet.ServletException;
import java.time.Duration;
import org.xnio.Options;

/** Headrace in an application that brings Undertow along. Copy it and change it. */
public final class EmbeddedUndertow implements AutoCloseable {

  private final Gateway gateway;
  private final GracefulShutdownHandler graceful;
  private final Undertow server;

  /** Starts a server on this port, with the gateway at /claude, whatever its mount is. */
  public EmbeddedUndertow(int port, Gateway gateway) throws ServletException {
    this.gateway = gateway;
    Servlet servlet = new GatewayServlet(gateway);
    DeploymentManager application =
        Servlets.defaultContainer()
            .addDeployment(
                Servlets.deployment()
                    .setClassLoader(EmbeddedUndertow.class.getClassLoader())
                    .setContextPath("/")
                    .setDeploymentName("headrace")
                    // Every flush goes out; this is the default, and with true events wait.
                    .setIgnoreFlush(false)
                    .addServlet(
                        Servlets.servlet(
                                "claude",
                                servlet.getClass(),
                                new ImmediateInstanceFactory<>(servlet))
                            .addMapping("/claude/*")
                            .setAsyncSupported(true)));
    application.deploy();
    HttpHandler handler = application.start();
    graceful = new GracefulShutdownHandler(handler);
    server =
        Undertow.builder()
            .addHttpListener(port, "127.0.0.1")
            .setHandler(graceful)
            // HTTP/2 in clear text, by upgrade or prior knowledge.
            .setServerOption(UndertowOptions.ENABLE_HTTP2, true)
            // Images and documents stand in the body: more than request.max-body (32MiB), so that too
            // large a request is refused by the gateway. The default is 2 MiB.
            .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, 40L << 20)
            // How long an unused connection is kept; reverse proxies must keep them shorter.
            .setServerOption(UndertowOptions.NO_REQUEST_TIMEOUT, 60_000)
            // How long the head of a request may take. Without it, for ever.
            .setServerOption(UndertowOptions.REQUEST_PARSE_TIMEOUT, 30_000)
            // What the system holds for a client that does not read; else up to 4 MB each.
            .setSocketOption(Options.SEND_BUFFER, 128 * 1024)
            // Set no READ_TIMEOUT below timeouts.total (30m), which would end HTTP/2 connections in the
            // middle of a stream, and no WRITE_TIMEOUT below timeouts.heartbeat (10s).
            .build();
    server.start();
  }

  /** Refuses new requests, lets running ones end within 15 s, and stops. */
  @Override
  public void close() throws InterruptedException {
    gateway.drain(); // load balancers see it at /claude/ops/ready
    graceful.shutdown();
    graceful.awaitShutdown(Duration.ofSeconds(15).toMillis());
    gateway.close();
    server.stop();
  }
}
