package shop;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** An application of Spring Boot, behind Spring Security, with the gateway in it. */
@SpringBootApplication
public class ShopApplication {

  /** Starts it. */
  public static void main(String[] args) {
    SpringApplication.run(ShopApplication.class, args);
  }
}
