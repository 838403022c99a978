#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_SHARED_HASH_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_SHARED_HASH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/core/digest.h"
#include "services/core/digester.h"

namespace entrepot::blob {

// The hash of one version of a file. All readers of the file at one moment share it, so that the file is hashed once.
// Each reader adds the bytes that it has read. A reader whose bytes were hashed before reads and hashes some bytes
// beyond the hashed ones instead. So with many readers the digest is known before any of them has read the whole file.
// Thread-safe.
class SharedHash {
 public:
  // Fills `data` with `size` bytes of the file at an offset, or fails.
  using ReadAt = std::function<absl::Status(char* data, size_t size, uint64_t offset_bytes)>;
  // Called once, when the whole file is hashed, with whether it has the digest.
  using OnVerdict = std::function<void(bool good)>;

  SharedHash(const Digest& digest, uint64_t size_bytes, OnVerdict on_verdict);

  // What is expected.
  const Digest& digest() const { return digest_; }

  // The caller has read `bytes` at that offset. Returns when they, and all bytes before them, are hashed. Calls `read`
  // for bytes before them that no reader has added, and for bytes beyond the hashed ones. kDataLoss: the whole file is
  // hashed and has another digest. Other errors are those of `read` for bytes up to the end of `bytes`.
  absl::Status Add(absl::string_view bytes, uint64_t offset_bytes, const ReadAt& read);

 private:
  absl::Status HashNext(const ReadAt& read) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Update(absl::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Verdict() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Digest digest_;
  const uint64_t size_bytes_;
  const OnVerdict on_verdict_;
  absl::Mutex mutex_;
  Digester digester_ ABSL_GUARDED_BY(mutex_);
  bool wrong_ ABSL_GUARDED_BY(mutex_) = false;
  // Made when it is needed: a single reader does not.
  std::unique_ptr<char[]> piece_ ABSL_GUARDED_BY(mutex_);
};

// kDataLoss: the bytes do not have this digest.
absl::Status WrongDigest(const Digest& digest);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_SHARED_HASH_H_
