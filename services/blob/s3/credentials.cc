#include "services/blob/s3/credentials.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "boost/json/value.hpp"
#include "services/blob/s3/s3_xml.h"
#include "services/core/text/strict_json.h"
#include "services/runtime/files/file_contents.h"
#include "services/runtime/files/secret_file.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob::s3 {
namespace {

constexpr size_t kFileBytesMax = 64 << 10;
constexpr size_t kAnswerBytesMax = 64 << 10;
// Permanent credentials of a file may be replaced.
constexpr absl::Duration kFileKept = absl::Minutes(1);
constexpr absl::Duration kRenewedBefore = absl::Minutes(5);
// After a failure, unless the credentials have ended.
constexpr absl::Duration kRetryAfter = absl::Seconds(10);
// A container may be unable to reach the service of its instance: no answer comes then.
constexpr absl::Duration kMetadataTimeout = absl::Seconds(1);

absl::StatusOr<std::string> BodyOf(Transport& transport, const WireRequest& request, absl::string_view what) {
  ASSIGN_OR_RETURN(const std::unique_ptr<WireResponse> response, transport.Send(request));
  std::string body(kAnswerBytesMax, '\0');
  size_t size = 0;
  while (size < body.size()) {
    ASSIGN_OR_RETURN(const size_t count, response->Read(body.data() + size, body.size() - size));
    if (count == 0) break;
    size += count;
  }
  body.resize(size);
  if (response->status() == 200) return body;
  return OciError(OciErrorCode::kUnavailable, absl::StrCat(what, " answered with ", response->status()));
}

absl::StatusOr<absl::Time> ParseExpiry(const std::string& text) {
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return time;
  return OciError(OciErrorCode::kUnavailable, "credentials of S3 came without a time at which they end");
}

// The answer of the metadata services.
absl::StatusOr<Credentials> ParseJsonCredentials(const std::string& text) {
  const absl::StatusOr<boost::json::value> value = ParseStrictJson(text);
  if (!value.ok() || !value->is_object()) {
    return OciError(OciErrorCode::kUnavailable, "credentials of S3 came in an unexpected form");
  }
  const auto field = [&](const char* name) {
    const boost::json::value* found = value->get_object().if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  Credentials credentials{.access_key_id = field("AccessKeyId"),
                          .secret_access_key = field("SecretAccessKey"),
                          .session_token = field("Token")};
  ASSIGN_OR_RETURN(credentials.expires_at, ParseExpiry(field("Expiration")));
  if (!credentials.access_key_id.empty() && !credentials.secret_access_key.empty()) return credentials;
  return OciError(OciErrorCode::kUnavailable, "credentials of S3 came without a key");
}

// The section [profile] of a file of credentials.
absl::StatusOr<Credentials> ParseFile(const std::string& path, const std::string& profile) {
  ASSIGN_OR_RETURN(const std::string text, runtime::ReadFileContents(path, kFileBytesMax));
  Credentials credentials;
  bool inside = false;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (absl::ConsumePrefix(&line, "[")) {
      absl::ConsumeSuffix(&line, "]");
      inside = absl::StripAsciiWhitespace(line) == profile;
      continue;
    }
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits('=', 1));
    const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts.first));
    const std::string value(absl::StripAsciiWhitespace(parts.second));
    if (!inside) continue;
    if (name == "aws_access_key_id") credentials.access_key_id = value;
    if (name == "aws_secret_access_key") credentials.secret_access_key = value;
    if (name == "aws_session_token") credentials.session_token = value;
  }
  if (!credentials.access_key_id.empty() && !credentials.secret_access_key.empty()) return credentials;
  return absl::InvalidArgumentError(
      absl::StrCat(path, " has no aws_access_key_id and aws_secret_access_key in the section [", profile, "]"));
}

// Keeps credentials until they are to be renewed.
class CachedSource : public CredentialsSource {
 public:
  CachedSource(CredentialsOptions options, Transport* transport, const Clock* clock)
      : options_(std::move(options)), transport_(*transport), clock_(*clock) {
    if (!options_.environment) {
      options_.environment = [](const char* name) {
        const char* const value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
      };
    }
  }

  absl::StatusOr<Credentials> Get() override {
    const absl::Time now = clock_.Now();
    {
      absl::MutexLock lock(&mutex_);
      if (has_ && now < renew_at_) return credentials_;
      if (has_ && renewing_ && now < credentials_.expires_at) return credentials_;
      mutex_.Await(absl::Condition(
          +[](bool* renewing) { return !*renewing; }, &renewing_));
      if (has_ && now < renew_at_) return credentials_;
      if (!has_ && now < failed_until_) return failure_;
      renewing_ = true;
    }
    absl::StatusOr<Credentials> found = Find();
    absl::MutexLock lock(&mutex_);
    renewing_ = false;
    if (found.ok()) {
      credentials_ = *found;
      has_ = true;
      renew_at_ = RenewalOf(credentials_, now);
      return credentials_;
    }
    failure_ = OciError(OciErrorCode::kUnavailable,
                        absl::StrCat("there are no credentials for S3: ", found.status().message()));
    if (has_ && now < credentials_.expires_at) {
      renew_at_ = now + kRetryAfter;
      return credentials_;
    }
    has_ = false;
    failed_until_ = now + absl::Seconds(1);
    return failure_;
  }

  void Forget(const Credentials& refused) override {
    absl::MutexLock lock(&mutex_);
    if (has_ && credentials_.access_key_id == refused.access_key_id &&
        credentials_.session_token == refused.session_token) {
      has_ = false;
    }
  }

 private:
  static absl::Time RenewalOf(const Credentials& credentials, absl::Time now) {
    if (credentials.expires_at == absl::InfiniteFuture()) return now + kFileKept;
    thread_local std::minstd_rand random(std::random_device{}());
    // Not all processes at the same moment.
    const absl::Duration early =
        kRenewedBefore + absl::Seconds(60) * std::uniform_real_distribution<double>(0.0, 1.0)(random);
    return std::max(credentials.expires_at - early, now + absl::Seconds(1));
  }

  std::string Environment(const char* name) const { return options_.environment(name); }

  absl::StatusOr<Credentials> Find() {
    if (!options_.file.empty()) return ReadFile(options_.file);
    if (!Environment("AWS_ACCESS_KEY_ID").empty()) {
      return Credentials{.access_key_id = Environment("AWS_ACCESS_KEY_ID"),
                         .secret_access_key = Environment("AWS_SECRET_ACCESS_KEY"),
                         .session_token = Environment("AWS_SESSION_TOKEN")};
    }
    std::string file = Environment("AWS_SHARED_CREDENTIALS_FILE");
    const bool named = !file.empty();
    if (!named && !Environment("HOME").empty()) file = absl::StrCat(Environment("HOME"), "/.aws/credentials");
    if (!file.empty()) {
      absl::StatusOr<Credentials> found = ReadFile(file);
      if (found.ok() || (named && !absl::IsNotFound(found.status()))) return found;
    }
    if (!Environment("AWS_WEB_IDENTITY_TOKEN_FILE").empty()) return AssumeRole();
    if (!Environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() ||
        !Environment("AWS_CONTAINER_CREDENTIALS_FULL_URI").empty()) {
      return AskContainer();
    }
    if (absl::EqualsIgnoreCase(Environment("AWS_EC2_METADATA_DISABLED"), "true")) {
      return absl::NotFoundError(
          "neither objects.s3.credentials_file, nor the environment, nor ~/.aws/credentials has any");
    }
    return AskInstance();
  }

  absl::StatusOr<Credentials> ReadFile(const std::string& path) {
    std::call_once(warned_, [&] { runtime::WarnIfOpenToOthers(path); });
    return ParseFile(path, options_.profile);
  }

  absl::StatusOr<Credentials> AssumeRole() {
    ASSIGN_OR_RETURN(std::string token,
                     runtime::ReadFileContents(Environment("AWS_WEB_IDENTITY_TOKEN_FILE"), kFileBytesMax));
    absl::StripAsciiWhitespace(&token);
    std::string session = Environment("AWS_ROLE_SESSION_NAME");
    if (session.empty()) session = "entrepot";
    std::string endpoint = Environment("AWS_ENDPOINT_URL_STS");
    if (endpoint.empty()) endpoint = absl::StrCat("https://sts.", options_.region, ".amazonaws.com");
    const std::string body = EncodeQuery({{"Action", "AssumeRoleWithWebIdentity"},
                                          {"Version", "2011-06-15"},
                                          {"RoleArn", Environment("AWS_ROLE_ARN")},
                                          {"RoleSessionName", session},
                                          {"WebIdentityToken", token}});
    WireRequest request{.method = "POST", .url = absl::StrCat(endpoint, "/")};
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.body = body;
    ASSIGN_OR_RETURN(const std::string answer, BodyOf(transport_, request, "the security token service"));
    Credentials credentials{.access_key_id = TextOfXml(answer, "AccessKeyId"),
                            .secret_access_key = TextOfXml(answer, "SecretAccessKey"),
                            .session_token = TextOfXml(answer, "SessionToken")};
    ASSIGN_OR_RETURN(credentials.expires_at, ParseExpiry(TextOfXml(answer, "Expiration")));
    return credentials;
  }

  absl::StatusOr<Credentials> AskContainer() {
    WireRequest request{.url = Environment("AWS_CONTAINER_CREDENTIALS_FULL_URI")};
    if (const std::string relative = Environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !relative.empty()) {
      request.url = absl::StrCat("http://169.254.170.2", relative);
    }
    request.idle_timeout = absl::Seconds(5);
    request.use_proxy = false;
    std::string token = Environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (const std::string file = Environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !file.empty()) {
      ASSIGN_OR_RETURN(token, runtime::ReadFileContents(file, kFileBytesMax));
      absl::StripAsciiWhitespace(&token);
    }
    if (!token.empty()) request.headers = {{"Authorization", token}};
    ASSIGN_OR_RETURN(const std::string answer, BodyOf(transport_, request, "the container's credential service"));
    return ParseJsonCredentials(answer);
  }

  absl::StatusOr<Credentials> AskInstance() {
    WireRequest request{.method = "PUT", .url = absl::StrCat(options_.instance_metadata, "/latest/api/token")};
    request.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}};
    request.idle_timeout = kMetadataTimeout;
    request.use_proxy = false;
    ASSIGN_OR_RETURN(const std::string token, BodyOf(transport_, request, "the instance's metadata service"));
    request.method = "GET";
    request.headers = {{"X-aws-ec2-metadata-token", token}};
    const std::string roles = absl::StrCat(options_.instance_metadata, "/latest/meta-data/iam/security-credentials/");
    request.url = roles;
    ASSIGN_OR_RETURN(std::string role, BodyOf(transport_, request, "the instance's metadata service"));
    role = role.substr(0, role.find('\n'));
    absl::StripAsciiWhitespace(&role);
    request.url = absl::StrCat(roles, EncodePath(role));
    ASSIGN_OR_RETURN(const std::string answer, BodyOf(transport_, request, "the instance's metadata service"));
    return ParseJsonCredentials(answer);
  }

  CredentialsOptions options_;
  Transport& transport_;
  const Clock& clock_;
  std::once_flag warned_;
  absl::Mutex mutex_;
  bool renewing_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_ ABSL_GUARDED_BY(mutex_) = false;
  Credentials credentials_ ABSL_GUARDED_BY(mutex_);
  absl::Time renew_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time failed_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<CredentialsSource> MakeCredentialsSource(CredentialsOptions options, Transport* transport,
                                                         const Clock* clock) {
  return std::make_unique<CachedSource>(std::move(options), transport, clock);
}

}  // namespace entrepot::blob::s3
