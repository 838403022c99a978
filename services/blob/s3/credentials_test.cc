#include "services/blob/s3/credentials.h"

#include <sys/stat.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TextResponse : public WireResponse {
 public:
  TextResponse(int status, std::string body) : status_(status), body_(std::move(body)) {}
  int status() const override { return status_; }
  const std::map<std::string, std::string>& headers() const override { return headers_; }
  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    const size_t count = std::min(size, body_.size() - read_);
    std::memcpy(data, body_.data() + read_, count);
    read_ += count;
    return count;
  }

 private:
  const int status_;
  const std::string body_;
  const std::map<std::string, std::string> headers_;
  size_t read_ = 0;
};

class CredentialsTest : public testing::Test, public Transport {
 protected:
  absl::StatusOr<std::unique_ptr<WireResponse>> Send(const WireRequest& request) override {
    requests_.push_back(absl::StrCat(request.method, " ", request.url));
    for (const auto& header : request.headers) headers_[header.first] = header.second;
    body_ = std::string(request.body);
    const auto found = answers_.find(request.url);
    if (found == answers_.end()) return OciError(OciErrorCode::kUnavailable, "no route");
    return std::make_unique<TextResponse>(200, found->second);
  }

  void Make(CredentialsOptions options = {}) {
    options.region = "eu-central-1";
    options.environment = [this](const char* name) { return environment_[name]; };
    source_ = MakeCredentialsSource(std::move(options), this, &clock_);
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_.path() + "/" + name) << text;
  }
  std::string Expiry(absl::Duration in) {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", clock_.Now() + in, absl::UTCTimeZone());
  }
  std::string Json(const std::string& key, absl::Duration in) {
    return absl::StrCat(R"({"Code":"Success","AccessKeyId":")", key,
                        R"(","SecretAccessKey":"s","Token":"t","Expiration":")", Expiry(in), R"("})");
  }
  std::string Key() {
    const absl::StatusOr<Credentials> credentials = source_->Get();
    return credentials.ok() ? credentials->access_key_id : std::string(credentials.status().message());
  }

  kv::TemporaryDirectory directory_;
  FakeClock clock_;
  std::map<std::string, std::string> environment_;
  std::map<std::string, std::string> answers_;
  std::vector<std::string> requests_;
  std::map<std::string, std::string> headers_;
  std::string body_;
  std::unique_ptr<CredentialsSource> source_;
};

TEST_F(CredentialsTest, TheEnvironmentComesFirst) {
  environment_ = {{"AWS_ACCESS_KEY_ID", "k"},
                  {"AWS_SECRET_ACCESS_KEY", "s"},
                  {"AWS_SESSION_TOKEN", "t"},
                  {"AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"}};
  Make();
  ASSERT_OK_AND_ASSIGN(const Credentials credentials, source_->Get());
  EXPECT_EQ(credentials.access_key_id, "k");
  EXPECT_EQ(credentials.secret_access_key, "s");
  EXPECT_EQ(credentials.session_token, "t");
}

TEST_F(CredentialsTest, AFileIsReadAgainAfterAMinute) {
  Write("keys",
        "# comment\n[other]\naws_access_key_id = no\n[default]\naws_access_key_id = old\n"
        "aws_secret_access_key=a=b\n");
  Make({.file = directory_.path() + "/keys"});
  ASSERT_OK_AND_ASSIGN(const Credentials credentials, source_->Get());
  EXPECT_EQ(credentials.secret_access_key, "a=b");
  Write("keys", "[default]\naws_access_key_id = new\naws_secret_access_key = c\n");
  EXPECT_EQ(Key(), "old");
  clock_.Advance(absl::Seconds(61));
  EXPECT_EQ(Key(), "new");
  Write("keys", "[default]\naws_access_key_id = newer\naws_secret_access_key = c\n");
  source_->Forget({.access_key_id = "new", .secret_access_key = "c", .session_token = ""});
  EXPECT_EQ(Key(), "newer");
}

TEST_F(CredentialsTest, WarnsOfAFileThatOthersMayRead) {
  Write("keys", "[default]\naws_access_key_id = k\naws_secret_access_key = s\n");
  const std::string path = directory_.path() + "/keys";
  for (const mode_t mode : {0600, 0644}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    Make({.file = path});
    testing::internal::CaptureStderr();
    EXPECT_EQ(Key(), "k");
    clock_.Advance(absl::Seconds(61));
    EXPECT_EQ(Key(), "k");
    const std::string log = testing::internal::GetCapturedStderr();
    const size_t warned = log.find("may read a file with secrets");
    EXPECT_EQ(warned != std::string::npos, mode == 0644) << log;
    // Not each time that the file is read.
    EXPECT_EQ(log.find("may read a file with secrets", warned + 1), std::string::npos) << log;
  }
}

TEST_F(CredentialsTest, AFileWithoutTheProfileIsAnError) {
  Write("keys", "[other]\naws_access_key_id = no\naws_secret_access_key = c\n");
  Make({.file = directory_.path() + "/keys"});
  EXPECT_THAT(source_->Get(), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(Key(), HasSubstr("[default]"));
}

TEST_F(CredentialsTest, AWebIdentityTokenIsExchanged) {
  Write("token", "jwt+1\n");
  environment_ = {{"AWS_WEB_IDENTITY_TOKEN_FILE", directory_.path() + "/token"},
                  {"AWS_ROLE_ARN", "arn:aws:iam::1:role/x"}};
  answers_["https://sts.eu-central-1.amazonaws.com/"] = absl::StrCat(
      "<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>k</AccessKeyId><SecretAccessKey>s"
      "</SecretAccessKey><SessionToken>t&amp;</SessionToken><Expiration>",
      Expiry(absl::Hours(1)), "</Expiration></Credentials></AssumeRoleWithWebIdentityResponse>");
  Make();
  ASSERT_OK_AND_ASSIGN(const Credentials credentials, source_->Get());
  EXPECT_EQ(credentials.session_token, "t&");
  EXPECT_THAT(body_, HasSubstr("WebIdentityToken=jwt%2B1"));
  EXPECT_THAT(body_, HasSubstr("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx"));
}

TEST_F(CredentialsTest, TheContainersServiceIsAsked) {
  environment_ = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/x"},
                  {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret"}};
  answers_["http://127.0.0.1/x"] = Json("k", absl::Hours(1));
  Make();
  EXPECT_EQ(Key(), "k");
  EXPECT_EQ(headers_["Authorization"], "secret");
}

TEST_F(CredentialsTest, TheInstancesServiceIsAskedWithAToken) {
  answers_["http://169.254.169.254/latest/api/token"] = "token";
  answers_["http://169.254.169.254/latest/meta-data/iam/security-credentials/"] = "role\n";
  answers_["http://169.254.169.254/latest/meta-data/iam/security-credentials/role"] = Json("k", absl::Hours(1));
  Make();
  EXPECT_EQ(Key(), "k");
  EXPECT_EQ(headers_["X-aws-ec2-metadata-token"], "token");
  EXPECT_THAT(requests_.front(), testing::StartsWith("PUT "));
}

TEST_F(CredentialsTest, TheInstancesServiceCanBeSwitchedOff) {
  environment_ = {{"AWS_EC2_METADATA_DISABLED", "true"}};
  Make();
  EXPECT_THAT(Key(), HasSubstr("objects.s3.credentials_file"));
  EXPECT_THAT(requests_, testing::IsEmpty());
}

TEST_F(CredentialsTest, TemporaryOnesAreRenewedBeforeTheyEnd) {
  environment_ = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/x"}};
  answers_["http://127.0.0.1/x"] = Json("first", absl::Hours(1));
  Make();
  EXPECT_EQ(Key(), "first");
  answers_["http://127.0.0.1/x"] = Json("second", absl::Hours(2));
  clock_.Advance(absl::Minutes(50));
  EXPECT_EQ(Key(), "first");
  clock_.Advance(absl::Minutes(6));
  EXPECT_EQ(Key(), "second");
}

TEST_F(CredentialsTest, OldOnesAreUsedUntilTheyEndIfNoNewOnesCome) {
  environment_ = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/x"}};
  answers_["http://127.0.0.1/x"] = Json("first", absl::Hours(1));
  Make();
  EXPECT_EQ(Key(), "first");
  answers_.clear();
  clock_.Advance(absl::Minutes(58));
  EXPECT_EQ(Key(), "first");
  clock_.Advance(absl::Minutes(3));
  EXPECT_THAT(source_->Get(), IsOciError(OciErrorCode::kUnavailable));
}

}  // namespace
}  // namespace entrepot::blob::s3
