#include "services/policy/key_set_url.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::policy {
namespace {

TEST(KeySetUrlTest, AcceptsHttpsAndLoopback) {
  for (const std::string url :
       {"https://token.actions.example/.well-known/jwks", "https://10.0.0.1:6443/openid/v1/jwks", "https://h?a=b",
        "https://[2001:db8::1]/k", "http://localhost/k", "http://localhost:8080", "http://127.0.0.1:1/k",
        "http://127.255.0.1/k", "http://[::1]:8080/k"}) {
    EXPECT_OK(CheckKeySetUrl(url)) << url;
  }
}

TEST(KeySetUrlTest, RefusesEverythingElse) {
  for (const std::string url : {"",
                                "https://",
                                "https:///k",
                                "https://:443/k",
                                "HTTPS://h/k",
                                "ftp://h/k",
                                "file:///etc/passwd",
                                "h/k",
                                "http://example.com/k",
                                "http://localhost.example.com/k",
                                "http://127.0.0.1.example.com/k",
                                "http://127.1/k",
                                "http://127.0.0.01/k",
                                "http://127.0.0.256/k",
                                "http://0x7f.0.0.1/k",
                                "http://169.254.169.254/latest",
                                "http://[::ffff:127.0.0.1]/k",
                                "http://[::1/k",
                                "http://localhost@example.com/k",
                                "https://u:p@h/k",
                                "http://example.com\\@localhost/k",
                                "http://localhost\\.example.com/k",
                                "https://h/k#f",
                                "https://h/a b",
                                "https://h/\r\nX: y",
                                "https://\xC3\xA9.example/k"}) {
    EXPECT_THAT(CheckKeySetUrl(url), StatusIs(absl::StatusCode::kInvalidArgument)) << url;
  }
  EXPECT_THAT(CheckKeySetUrl("https://h/" + std::string(2048, 'a')), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entrepot::policy
