#include "services/upstream/login/credential_source.h"

#include <sys/stat.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

class CredentialSourceTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(directory_.path(), "/", name);
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), 0700), 0);
    return path;
  }
  // The password is the number of the run.
  CredentialSource CountingHelper() {
    config::v1::UpstreamCredentials entry;
    const std::string runs = absl::StrCat(directory_.path(), "/runs");
    entry.set_helper(Write("helper", absl::StrCat("#!/bin/sh\nread server\necho >>", runs, "\n",
                                                  "printf '{\"Username\":\"%s\",\"Secret\":\"%s\"}' \"$server\" ",
                                                  "\"$(wc -l <", runs, ")\"\n")));
    entry.mutable_helper_lifetime()->set_seconds(100);
    return CredentialSource(entry, "r.example", &clock_, &stop_);
  }
  static std::string PasswordOf(CredentialSource& source) {
    const auto credentials = source.Get();
    if (!credentials.ok()) return credentials.status().ToString();
    return credentials->has_value() ? (*credentials)->password : "anonymous";
  }

  kv::TemporaryDirectory directory_;
  FakeClock clock_;
  StopSignal stop_;
};

TEST_F(CredentialSourceTest, IsAnonymousWithoutAnEntry) {
  CredentialSource source({}, "r.example", &clock_, &stop_);
  EXPECT_THAT(source.Get(), IsOkAndHolds(std::nullopt));
}

TEST_F(CredentialSourceTest, ReadsThePasswordFileForEachLogin) {
  config::v1::UpstreamCredentials entry;
  entry.set_username("ci");
  entry.set_password_file(Write("password", "first\r\n"));
  CredentialSource source(entry, "r.example", &clock_, &stop_);
  EXPECT_THAT(source.Get(), IsOkAndHolds(Credentials{.username = "ci", .password = "first"}));
  Write("password", "sec ond");
  EXPECT_EQ(PasswordOf(source), "sec ond");
}

TEST_F(CredentialSourceTest, NeedsAPassword) {
  config::v1::UpstreamCredentials entry;
  entry.set_password_file(absl::StrCat(directory_.path(), "/password"));
  CredentialSource source(entry, "r.example", &clock_, &stop_);
  EXPECT_THAT(source.Get(), StatusIs(absl::StatusCode::kUnavailable));
  Write("password", "\n");
  EXPECT_THAT(source.Get(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(CredentialSourceTest, UsesTheHelpersAnswerForItsLifetime) {
  CredentialSource source = CountingHelper();
  EXPECT_EQ(PasswordOf(source), "1");
  clock_.Advance(absl::Seconds(99));
  EXPECT_EQ(PasswordOf(source), "1");
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(PasswordOf(source), "2");
}

TEST_F(CredentialSourceTest, AsksTheHelperAgainAfterARefusal) {
  CredentialSource source = CountingHelper();
  const auto first = source.Get();
  ASSERT_OK(first);
  EXPECT_EQ((*first)->username, "r.example");
  EXPECT_FALSE(source.Drop(**first, absl::Minutes(1)));
  EXPECT_EQ(PasswordOf(source), "1");
  EXPECT_TRUE(source.Drop(**first));
  EXPECT_EQ(PasswordOf(source), "2");
  EXPECT_TRUE(source.Drop(**first));
  EXPECT_EQ(PasswordOf(source), "2");
}

TEST_F(CredentialSourceTest, DoesNotRunAFailingHelperForEachRequest) {
  config::v1::UpstreamCredentials entry;
  entry.set_helper(absl::StrCat(directory_.path(), "/helper"));
  CredentialSource source(entry, "r.example", &clock_, &stop_);
  EXPECT_THAT(source.Get(), StatusIs(absl::StatusCode::kUnavailable));
  Write("helper", "#!/bin/sh\necho '{\"Username\":\"u\",\"Secret\":\"s\"}'\n");
  EXPECT_THAT(source.Get(), StatusIs(absl::StatusCode::kUnavailable));
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(PasswordOf(source), "s");
}

TEST(CredentialHelperServerTest, IsTheNameUnderWhichHelpersStoreCredentials) {
  const auto server = [](const char* url) {
    config::v1::Upstream upstream;
    upstream.set_url(url);
    return CredentialHelperServer(upstream);
  };
  EXPECT_EQ(server("https://registry-1.docker.io"), "https://index.docker.io/v1/");
  EXPECT_EQ(server("https://quay.io"), "quay.io");
  EXPECT_EQ(server("http://r.example:5000"), "r.example:5000");
  EXPECT_EQ(server("https://notdocker.io"), "notdocker.io");
}

}  // namespace
}  // namespace entrepot::upstream
