#ifndef ENTREPOT_SERVICES_BLOB_S3_TESTING_FAKE_S3_H_
#define ENTREPOT_SERVICES_BLOB_S3_TESTING_FAKE_S3_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/blob/s3/sigv4.h"
#include "services/core/time/clock.h"
#include "services/outbound/transport.h"

namespace entrepot::blob::s3 {

using outbound::Transport;
using outbound::WireRequest;
using outbound::WireResponse;

// An S3 server in memory, with one bucket "bucket", addressed by path. It checks signatures, and
// lies on request, as servers do that call themselves S3. Thread-safe.
class FakeS3 : public Transport {
 public:
  struct Request {
    std::string method;
    // Without the bucket.
    std::string key;
    std::map<std::string, std::string> query;
    // "PUT f1?partNumber": for messages and rules.
    std::string name;
    // WireRequest::client
    std::string client = {};
  };

  enum class Lie {
    kNone,
    // The request does not arrive.
    kLost,
    // The request is carried out, and the answer is lost.
    kAnswerLost,
    // 503 SlowDown, and nothing is done.
    kSlowDown,
    kInternalError,
    // A 200 whose body is an InternalError, and nothing is done.
    kLateError,
    // The body of the answer ends in the middle.
    kCutBody,
    // 403 AccessDenied.
    kDenied,
    // 404 NoSuchBucket.
    kNoBucket,
    // 404 without XML, as of a proxy before the server.
    kProxy,
    // 400 InvalidPart, and nothing is done.
    kInvalidPart,
  };

  // Called before each request.
  using Rule = std::function<Lie(const Request&)>;

  struct Options {
    std::string endpoint = "http://s3.test";
    Credentials credentials = {.access_key_id = "key", .secret_access_key = "secret", .session_token = ""};
    // Whether If-None-Match has an effect; else it is ignored.
    bool knows_conditions = true;
    // Refuses If-None-Match with 501.
    bool refuses_conditions = false;
    uint64_t part_bytes_min = 0;
    // A repeated CompleteMultipartUpload is 404, as of MinIO; else 200.
    bool forgets_uploads = true;
    bool knows_bulk_deletes = true;
    // How far its clock is ahead. Requests dated 15 minutes off are refused.
    absl::Duration clock_ahead = absl::ZeroDuration();
  };

  // `clock` outlives this.
  FakeS3(Options options, const Clock* clock) : options_(std::move(options)), clock_(*clock) {}

  absl::StatusOr<std::unique_ptr<WireResponse>> Send(const WireRequest& request) override;

  void SetRule(Rule rule) {
    absl::MutexLock lock(&mutex_);
    rule_ = std::move(rule);
  }
  // The names of all requests so far.
  std::vector<std::string> Requests() {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }
  void ForgetRequests() {
    absl::MutexLock lock(&mutex_);
    requests_.clear();
  }
  std::vector<std::string> Keys();
  size_t OpenUploads() {
    absl::MutexLock lock(&mutex_);
    return uploads_.size();
  }
  std::string ObjectBytes(const std::string& key) {
    absl::MutexLock lock(&mutex_);
    return objects_[key].bytes;
  }
  void Overwrite(const std::string& key, std::string bytes);
  // DeleteObjects fails for this key only.
  void Protect(const std::string& key) {
    absl::MutexLock lock(&mutex_);
    protected_.insert(key);
  }
  // Ends all multipart uploads, as a server does with old ones.
  void AbortAll() {
    absl::MutexLock lock(&mutex_);
    uploads_.clear();
  }

 private:
  struct Object {
    std::string bytes;
    std::string etag;
    absl::Time modified_at;
  };
  struct Upload {
    std::string key;
    std::map<int, Object> parts;
    absl::Time begun_at;
  };
  struct Answer {
    int status = 200;
    std::map<std::string, std::string> headers = {};
    std::string body = {};
  };

  static Answer Error(int status, const std::string& code);
  bool IsSigned(const WireRequest& request, const std::map<std::string, std::string>& headers, const std::string& path,
                const std::map<std::string, std::string>& query) const;
  Answer Serve(const Request& request, const std::map<std::string, std::string>& headers, absl::string_view body)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Answer ServeUploads(const Request& request, const std::map<std::string, std::string>& headers, absl::string_view body)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Answer Get(const Request& request, const std::map<std::string, std::string>& headers)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Answer List(const Request& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Answer DeleteObjects(const std::map<std::string, std::string>& headers, absl::string_view body)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Answer Complete(const std::string& upload_id, absl::string_view body) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const Clock& clock_;
  absl::Mutex mutex_;
  Rule rule_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> requests_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Object> objects_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Upload> uploads_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> completed_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> protected_ ABSL_GUARDED_BY(mutex_);
  int last_upload_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_TESTING_FAKE_S3_H_
