#ifndef ENTREPOT_SERVICES_CTL_CLIENT_CONTENT_CLIENT_H_
#define ENTREPOT_SERVICES_CTL_CLIENT_CONTENT_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/ctl/client/registry_client.h"

namespace entrepot::ctl {

struct ContentManifest {
  Digest digest;
  std::string media_type;
  std::string content;
};

// Reads and writes the content of one repository over the OCI distribution API. Requests that fail for a moment (no
// answer, 429, 500, 502, 503, 504) are sent again, and a transfer that broke off is continued. Errors are those of
// RegistryClient; kDataLoss: the registry sent bytes of another digest. Not thread-safe.
class ContentClient {
 public:
  // What the account must be allowed to do. An import writes to the cache of an upstream, for which it must be an
  // administrator, and reads what is there without asking the upstream.
  enum class Access { kPull, kPush, kImport };

  struct Options {
    // Pauses before a request is sent again grow from the first to the maximum, unless the registry names one. The
    // clock of attempts begins again with each byte that arrives.
    absl::Duration pause_first = absl::Milliseconds(500);
    absl::Duration pause_max = absl::Seconds(10);
    int attempts_max = 7;
    // A blob is sent in pieces of this size, each of which is in memory.
    size_t piece_bytes = 8 << 20;
  };

  // Reads `length` bytes of a blob that is sent, from `offset` on.
  using ReadBlob = std::function<absl::StatusOr<std::string>(uint64_t offset, size_t length)>;

  // `registry` must outlive it.
  ContentClient(RegistryClient* registry, const RepositoryName& repository, Access access)
      : ContentClient(registry, repository, access, Options()) {}
  ContentClient(RegistryClient* registry, const RepositoryName& repository, Access access, Options options);

  const RepositoryName& repository() const { return repository_; }

  // By a tag or a digest. The content has the digest.
  absl::StatusOr<ContentManifest> GetManifest(const std::string& reference);
  absl::StatusOr<bool> HasManifest(const Digest& digest);
  // The manifests that name `subject`.
  absl::StatusOr<std::vector<Digest>> ListReferrers(const Digest& subject);
  absl::Status PutManifest(const std::string& reference, const std::string& media_type, const std::string& content);

  // kNotFound: the repository does not have the blob.
  absl::StatusOr<uint64_t> BlobSize(const Digest& digest);
  // Gives `sink` the bytes of a blob of `size_bytes` from `offset` on, each once and in order. Does not verify them. An
  // error of `sink` is returned.
  absl::Status GetBlob(const Digest& digest, uint64_t size_bytes, uint64_t offset,
                       const std::function<absl::Status(absl::string_view bytes)>& sink);
  // Sends a blob, and calls `sent` with the number of its bytes that have arrived. An error of `read` is returned, and
  // kDataLoss if the bytes have another digest; the registry then keeps nothing.
  absl::Status PutBlob(const Digest& digest, uint64_t size_bytes, const ReadBlob& read,
                       const std::function<void(uint64_t bytes)>& sent);

 private:
  class Attempts;

  std::string Path(absl::string_view kind, absl::string_view what) const;
  absl::StatusOr<HttpAnswer> SendOnce(HttpRequest request);
  // Sends again while the failure may be one of the moment.
  absl::StatusOr<HttpAnswer> Send(const HttpRequest& request);
  absl::StatusOr<bool> Has(const std::string& path, HttpAnswer* answer);

  absl::Status PutSmallBlob(const Digest& digest, std::string content);
  // kAborted: the session is gone, so the blob must be sent from its beginning.
  absl::Status PutPieces(const Digest& digest, uint64_t size_bytes, const ReadBlob& read,
                         const std::function<void(uint64_t bytes)>& sent);
  absl::Status EndUpload(const std::string& location, const Digest& digest);
  // How many bytes the session has, by the answer to a GET of it.
  absl::StatusOr<uint64_t> UploadOffset(std::string* location);

  RegistryClient& registry_;
  const RepositoryName repository_;
  const Access access_;
  const std::string scope_;
  const Options options_;
};

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_CLIENT_CONTENT_CLIENT_H_
