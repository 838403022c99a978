#ifndef ENTREPOT_SERVICES_BLOB_S3_S3_CLIENT_H_
#define ENTREPOT_SERVICES_BLOB_S3_S3_CLIENT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/blob/s3/credentials.h"
#include "services/blob/s3/s3_metrics.h"
#include "services/blob/s3/sigv4.h"
#include "services/core/time/clock.h"
#include "services/outbound/breaker.h"
#include "services/outbound/transport.h"

namespace entrepot::blob::s3 {

struct S3Target {
  // "https://s3.eu-central-1.amazonaws.com" or "http://127.0.0.1:9000", without a path.
  std::string endpoint;
  std::string region = "us-east-1";
  std::string bucket;
  // https://BUCKET.HOST/KEY instead of https://HOST/BUCKET/KEY.
  bool virtual_hosted = false;
};

// How a client addresses a key of a bucket.
struct S3Address {
  // "http" or "https".
  std::string scheme;
  // With the port, if the endpoint has one.
  std::string host;
  // Encoded.
  std::string path;

  std::string Url() const { return scheme + "://" + host + path; }
};
// `key` is empty for the bucket.
S3Address AddressOf(const S3Target& target, const std::string& key);

struct S3Request {
  // For metrics and messages: "PutObject".
  absl::string_view operation;
  std::string method;
  // Empty for the bucket.
  std::string key = {};
  Fields query = {};
  Fields headers = {};
  // Outlives the call.
  absl::string_view body = {};
  // Hex SHA-256 of `body`, if it is known.
  std::string body_sha256 = {};
  absl::Duration idle_timeout = absl::Seconds(30);
  // Whether the body of a 200 may be an error (CompleteMultipartUpload, CopyObject).
  bool may_fail_late = false;
  // Of WireRequest.
  bool paced_by_client = false;
  std::string client = {};
  // How often it is sent at most.
  int tries_max = 3;
};

struct S3Answer {
  int status = 0;
  std::map<std::string, std::string> headers = {};
  // At most 16 MiB.
  std::string body = {};
  // Of an error: S3's code, such as "NoSuchKey"; empty for HEAD.
  std::string error_code = {};
  std::string error_message = {};

  bool ok() const { return status >= 200 && status < 300 && error_code.empty(); }
  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

// Signed requests to one bucket. It alone retries: a request that got no answer, 429, 500, 502, 503, 504,
// RequestTimeout or OperationAborted is sent again, up to S3Request::tries_max in all, after waits that grow and are
// random (up to 2 s); all requests together have a budget for that, so that a server that is down does not get three
// times the load. A request that found no free connection is not: it has waited already, and the server is not at
// fault. Credentials that have expired are fetched anew, and a clock that differs from the server's is corrected, once
// in a request.
//
// A server that hangs must not keep all threads that call it. So after three requests in a row that waited in vain,
// the others fail at once, with a wait (status/retry_after.h). Once a pause of 1 to 5 s is over, one request at a time
// first asks for the bucket's head, for up to Options::probe_silence; any answer lets all requests pass again.
//
// Thread-safe; calls block.
class S3Client {
 public:
  struct Options {
    S3Target target;
    absl::Duration probe_silence = absl::Seconds(2);
    // Replaced by tests.
    std::function<void(absl::Duration)> wait = nullptr;
  };

  // The pointers outlive this.
  S3Client(Options options, Transport* transport, CredentialsSource* credentials, const Clock* clock,
           S3Metrics* metrics);

  // Any answer but those that are retried; those are kUnavailable in the end.
  absl::StatusOr<S3Answer> Send(const S3Request& request);
  // The same for a GET whose body is read later, if the answer is 2xx: `*body` is set then.
  absl::StatusOr<S3Answer> Stream(const S3Request& request, std::unique_ptr<WireResponse>* body);

  // The error of an answer that is not ok(): kNotFound (BLOB_UNKNOWN) for NoSuchKey and a HEAD's 404, else
  // kUnavailable.
  absl::Status ErrorOf(const S3Request& request, const S3Answer& answer) const;

  const S3Target& target() const { return options_.target; }
  // The time as the server has it, as far as its answers have shown that.
  absl::Time ServerTime() const { return clock_.Now() + absl::Seconds(clock_offset_seconds_.load()); }

 private:
  // OK if the request may be sent. May ask the server whether it answers.
  absl::Status Admit();
  void Probe();
  void NoteAnswer();
  // `took`: how long the request waited in vain.
  void NoteNoAnswer(const S3Request& request, absl::Duration took, const absl::Status& error);
  absl::StatusOr<S3Answer> SendWithRetries(const S3Request& request, std::unique_ptr<WireResponse>* body);
  absl::StatusOr<S3Answer> SendOnce(const S3Request& request, const std::string& body_sha256,
                                    const Credentials& credentials, std::unique_ptr<WireResponse>* body);
  bool TakeRetry();

  const Options options_;
  Transport& transport_;
  CredentialsSource& credentials_;
  const Clock& clock_;
  S3Metrics& metrics_;
  outbound::Breaker breaker_;
  // How far the server's clock is ahead.
  std::atomic<int64_t> clock_offset_seconds_{0};
  // Retries that are left, in tenths.
  std::atomic<int64_t> retry_budget_;
};

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_S3_CLIENT_H_
