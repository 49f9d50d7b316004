package shop;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A page of the application's own. */
@RestController
class PublicController {

  @GetMapping("/public")
  String page() {
    return "the application";
  }
}
