package shop;

import static org.springframework.security.config.Customizer.withDefaults;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.csrf.CookieCsrfTokenRepository;
import org.springframework.security.web.csrf.CsrfTokenRequestAttributeHandler;

/** Who may come in: two users, by form or by HTTP Basic, with CSRF tokens for pages. */
@Configuration
class SecurityConfiguration {

  @Bean
  SecurityFilterChain security(HttpSecurity http) throws Exception {
    // headrace.js sends the token with csrf: true. By default Spring Security makes the cookie only
    // when somebody asks for the token, and expects of a form what a script cannot compute.
    CsrfTokenRequestAttributeHandler plainToken = new CsrfTokenRequestAttributeHandler();
    plainToken.setCsrfRequestAttributeName(null);
    return http.authorizeHttpRequests(
            requests ->
                requests
                    .requestMatchers("/public", "/claude/ops/ready") // for load balancers
                    .permitAll()
                    .anyRequest()
                    .authenticated())
        .csrf(
            csrf ->
                csrf.csrfTokenRepository(CookieCsrfTokenRepository.withHttpOnlyFalse())
                    .csrfTokenRequestHandler(plainToken))
        .formLogin(withDefaults())
        .httpBasic(withDefaults())
        .build();
  }

  @Bean
  UserDetailsService users() {
    return new InMemoryUserDetailsManager(
        User.withUsername("alice").password("{noop}wonderland").roles("STAFF").build(),
        User.withUsername("bob").password("{noop}builder").roles("CUSTOMER").build(),
        User.withUsername("mallory").password("{noop}mischief").roles("VISITOR").build());
  }
}
