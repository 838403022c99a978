#include "services/blob/s3/s3_client.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/blob/s3/s3_xml.h"
#include "services/core/time/stopwatch.h"
#include "services/runtime/log/json_log.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_macros.h"

namespace entrepot::blob::s3 {
namespace {

constexpr size_t kBodyBytesMax = 16 << 20;
constexpr absl::Duration kFirstWait = absl::Milliseconds(100);
constexpr absl::Duration kWaitMax = absl::Seconds(2);
// 100 retries at first; then each success earns a tenth of one.
constexpr int64_t kRetryBudgetMax = 1000;
constexpr int64_t kRetryCost = 10;

// A failure that took as long, or the whole idle_timeout, shows that the server hangs. One that comes sooner, such as a
// refused connection, costs its caller little.
constexpr absl::Duration kSilence = absl::Seconds(5);
constexpr outbound::BreakerOptions kBreaker{.failures_max = 3,
                                            .slow_failure = absl::InfiniteDuration(),
                                            .pause_min = absl::Seconds(1),
                                            .pause_max = absl::Seconds(5)};

bool IsRetried(const S3Answer& answer) {
  switch (answer.status) {
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return answer.error_code == "RequestTimeout" || answer.error_code == "OperationAborted" ||
             answer.error_code == "InternalError" || answer.error_code == "SlowDown" ||
             absl::StartsWith(answer.error_code, "Throttling");
  }
}

bool IsExpired(const S3Answer& answer) {
  return answer.error_code == "ExpiredToken" || answer.error_code == "InvalidToken" ||
         answer.error_code == "TokenRefreshRequired" || answer.error_code == "InvalidAccessKeyId";
}

absl::string_view ResultOf(const S3Answer& answer) {
  if (answer.ok() || answer.status == 404 || answer.status == 412) return "ok";
  if (answer.status == 429 || answer.status == 503 || answer.error_code == "SlowDown") return "busy";
  return answer.status >= 500 || answer.status < 300 ? "failed" : "refused";
}

absl::Duration WaitBefore(int retry) {
  thread_local std::minstd_rand random(std::random_device{}());
  const absl::Duration most = std::min(kFirstWait * (1 << std::min(retry, 10)), kWaitMax);
  return most * std::uniform_real_distribution<double>(0.0, 1.0)(random);
}

absl::StatusOr<std::string> ReadAll(WireResponse& response) {
  std::string body;
  constexpr size_t kPiece = 64 << 10;
  while (true) {
    const size_t before = body.size();
    body.resize(before + kPiece);
    ASSIGN_OR_RETURN(const size_t count, response.Read(body.data() + before, kPiece));
    body.resize(before + count);
    if (count == 0) return body;
    if (body.size() > kBodyBytesMax) {
      return OciError(OciErrorCode::kUnavailable, "the S3 server's answer has more than 16 MiB");
    }
  }
}

}  // namespace

S3Address AddressOf(const S3Target& target, const std::string& key) {
  absl::string_view host = target.endpoint;
  S3Address address{.scheme = absl::ConsumePrefix(&host, "http://") ? "http" : "https", .host = "", .path = ""};
  absl::ConsumePrefix(&host, "https://");
  absl::ConsumeSuffix(&host, "/");
  address.host = target.virtual_hosted ? absl::StrCat(target.bucket, ".", host) : std::string(host);
  address.path = EncodePath(target.virtual_hosted ? "/" + key : absl::StrCat("/", target.bucket, "/", key));
  return address;
}

S3Client::S3Client(Options options, Transport* transport, CredentialsSource* credentials, const Clock* clock,
                   S3Metrics* metrics)
    : options_(std::move(options)),
      transport_(*transport),
      credentials_(*credentials),
      clock_(*clock),
      metrics_(*metrics),
      breaker_(clock, kBreaker),
      retry_budget_(kRetryBudgetMax) {}

absl::StatusOr<S3Answer> S3Client::Send(const S3Request& request) { return SendWithRetries(request, nullptr); }

absl::StatusOr<S3Answer> S3Client::Stream(const S3Request& request, std::unique_ptr<WireResponse>* body) {
  return SendWithRetries(request, body);
}

absl::Status S3Client::Admit() {
  if (breaker_.Allow()) {
    if (breaker_.closed()) return absl::OkStatus();
    Probe();
  }
  if (breaker_.closed()) return absl::OkStatus();
  const absl::Duration wait = breaker_.wait();
  return WithRetryAfter(
      OciError(OciErrorCode::kUnavailable, absl::StrCat("the S3 server did not answer lately, and is asked again in ",
                                                        RetryAfterSeconds(wait), " s")),
      wait);
}

void S3Client::Probe() {
  const absl::StatusOr<Credentials> credentials = credentials_.Get();
  if (!credentials.ok()) return breaker_.Neither();
  const S3Request head{.operation = "HeadBucket", .method = "HEAD", .idle_timeout = options_.probe_silence};
  SendOnce(head, Sha256Hex(""), *credentials, nullptr).status().IgnoreError();
}

void S3Client::NoteAnswer() {
  if (!breaker_.Succeeded()) return;
  runtime::Log(runtime::LogLevel::kInfo, "the S3 server answers again", {{"endpoint", options_.target.endpoint}});
}

void S3Client::NoteNoAnswer(const S3Request& request, absl::Duration took, const absl::Status& error) {
  if (breaker_.closed() && took < std::min(request.idle_timeout, kSilence)) return breaker_.Neither();
  if (!breaker_.Failed(took, std::nullopt)) return;
  runtime::Log(runtime::LogLevel::kWarning, "the S3 server does not answer, and gets no requests for a while",
               {{"endpoint", options_.target.endpoint}, {"error", error.message()}});
}

absl::StatusOr<S3Answer> S3Client::SendWithRetries(const S3Request& request, std::unique_ptr<WireResponse>* body) {
  const std::string body_sha256 = request.body_sha256.empty() ? Sha256Hex(request.body) : request.body_sha256;
  bool refreshed = false;
  bool corrected = false;
  for (int tries = 1;; ++tries) {
    RETURN_IF_ERROR(Admit());
    ASSIGN_OR_RETURN(const Credentials credentials, credentials_.Get());
    absl::StatusOr<S3Answer> answer = SendOnce(request, body_sha256, credentials, body);
    if (answer.ok() && !IsRetried(*answer)) {
      if (IsExpired(*answer) && !refreshed) {
        refreshed = true;
        credentials_.Forget(credentials);
        continue;
      }
      if (answer->error_code == "RequestTimeTooSkewed" && !corrected) {
        absl::Time theirs;
        std::string error;
        if (absl::ParseTime("%a, %d %b %E4Y %H:%M:%S GMT", answer->Header("date"), &theirs, &error)) {
          corrected = true;
          clock_offset_seconds_ = absl::ToInt64Seconds(theirs - clock_.Now());
          continue;
        }
      }
      int64_t budget = retry_budget_.load();
      if (budget < kRetryBudgetMax) retry_budget_.compare_exchange_strong(budget, budget + 1);
      return answer;
    }
    if (answer.status().code() != absl::StatusCode::kOk && !absl::IsUnavailable(answer.status())) return answer;
    // No connection is free.
    if (GetRetryAfter(answer.status()).has_value()) return answer;
    if (tries >= request.tries_max || !TakeRetry()) {
      return answer.ok() ? ErrorOf(request, *answer) : answer.status();
    }
    const absl::Duration wait = WaitBefore(tries);
    options_.wait ? options_.wait(wait) : absl::SleepFor(wait);
  }
}

absl::StatusOr<S3Answer> S3Client::SendOnce(const S3Request& request, const std::string& body_sha256,
                                            const Credentials& credentials, std::unique_ptr<WireResponse>* body) {
  const S3Address address = AddressOf(options_.target, request.key);
  RequestToSign to_sign{.method = request.method,
                        .host = address.host,
                        .path = address.path,
                        .query = request.query,
                        .headers = {},
                        .payload_hash = body_sha256};
  for (const auto& header : request.headers) {
    if (absl::StartsWith(header.first, "x-amz-")) to_sign.headers.push_back(header);
  }
  WireRequest wire;
  wire.method = request.method;
  wire.url = address.Url();
  if (!request.query.empty()) absl::StrAppend(&wire.url, "?", EncodeQuery(request.query));
  wire.headers = request.headers;
  Fields signature = SignHeaders(to_sign, credentials, {.region = options_.target.region}, ServerTime());
  wire.headers.insert(wire.headers.end(), signature.begin(), signature.end());
  wire.body = request.body;
  wire.idle_timeout = request.idle_timeout;
  wire.paced_by_client = request.paced_by_client;
  wire.client = request.client;

  const Stopwatch stopwatch;
  absl::StatusOr<std::unique_ptr<WireResponse>> response = transport_.Send(wire);
  if (!response.ok()) {
    // No connection was free, for example.
    const bool is_sent = absl::IsUnavailable(response.status()) && !GetRetryAfter(response.status()).has_value();
    metrics_.Observe(request.operation, is_sent ? "failed" : "unsent", stopwatch.Elapsed());
    if (!is_sent) {
      breaker_.Neither();
      return response.status();
    }
    absl::Status error =
        OciError(OciErrorCode::kUnavailable,
                 absl::StrCat("the S3 server did not answer ", request.operation, ": ", response.status().message()));
    NoteNoAnswer(request, stopwatch.Elapsed(), error);
    return error;
  }
  NoteAnswer();
  S3Answer answer{.status = (*response)->status(), .headers = (*response)->headers()};
  const bool success = answer.status >= 200 && answer.status < 300;
  if (success && body != nullptr) {
    metrics_.Observe(request.operation, "ok", stopwatch.Elapsed());
    *body = *std::move(response);
    return answer;
  }
  absl::StatusOr<std::string> text = ReadAll(**response);
  if (!text.ok() && success) {
    metrics_.Observe(request.operation, "failed", stopwatch.Elapsed());
    return text.status();
  }
  if (text.ok()) answer.body = *std::move(text);
  if (!success || (request.may_fail_late && RootOfXml(answer.body) == "Error")) {
    answer.error_code = TextOfXml(answer.body, "Code");
    answer.error_message = TextOfXml(answer.body, "Message");
  }
  metrics_.Observe(request.operation, ResultOf(answer), stopwatch.Elapsed());
  return answer;
}

bool S3Client::TakeRetry() {
  if (retry_budget_.fetch_sub(kRetryCost) >= kRetryCost) return true;
  retry_budget_.fetch_add(kRetryCost);
  return false;
}

absl::Status S3Client::ErrorOf(const S3Request& request, const S3Answer& answer) const {
  // A 404 without this code may be of a proxy before the server.
  const bool missing = answer.status == 404 && answer.error_code == "NoSuchKey";
  if (missing && !request.key.empty()) return OciError(OciErrorCode::kBlobUnknown, "there is no such object");
  return OciError(OciErrorCode::kUnavailable,
                  absl::StrCat("the S3 server answered ", request.operation, " in the bucket \"",
                               options_.target.bucket, "\" with ", answer.status, " ", answer.error_code,
                               answer.error_message.empty() ? "" : ": ", answer.error_message));
}

}  // namespace entrepot::blob::s3
