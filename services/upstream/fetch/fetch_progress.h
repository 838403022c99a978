#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_FETCH_PROGRESS_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_FETCH_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/upstream/fetch/fetch_reader.h"
#include "services/upstream/fetch/spool_file.h"

namespace entrepot::upstream {

// How far one fetch is, between the thread that fetches and the readers. The thread writes to the spool file, and then
// publishes; readers read without the lock. Callbacks of readers are called without the lock too. Thread-safe.
class FetchProgress : public std::enable_shared_from_this<FetchProgress> {
 public:
  // Bytes at the end of a blob of known size that are held back until it is stored. Of a blob of unknown size the last
  // byte is.
  static constexpr uint64_t kHeldBackBytes = 65536;

  // For the thread that fetches. Each is ignored once the fetch has ended.
  //
  // Once, before the first Publish().
  void SetSpool(std::unique_ptr<SpoolFile> spool);
  void SetSize(uint64_t size_bytes);
  // The spool has so many bytes, and the blob this size, if it is known by now. Readers that wait for the size and
  // those that wait for bytes learn of both at once.
  void Publish(uint64_t spooled_bytes, std::optional<uint64_t> size_bytes = std::nullopt);
  // The blob is stored, and has this size. All that is spooled becomes readable.
  void EndStored(uint64_t size_bytes);
  // `status` is not OK. Nothing is readable any more.
  void EndFailed(absl::Status status);

  struct Position {
    uint64_t readable_bytes = 0;
    std::optional<uint64_t> size_bytes;
    bool ended = false;
  };
  Position position() const;
  bool ended() const;
  absl::Status status() const;
  bool stored() const;

  std::unique_ptr<FetchReader> NewReader();

 private:
  class Reader;
  using Callback = std::function<void()>;

  // Moves the callbacks that are due to a vector, for CallAll() after the lock is released.
  std::vector<Callback> TakeDueLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void CallAll(const std::vector<Callback>& callbacks);

  mutable absl::Mutex mutex_;
  std::unique_ptr<SpoolFile> spool_ ABSL_GUARDED_BY(mutex_);  // Stays once it is set.
  std::optional<uint64_t> size_bytes_ ABSL_GUARDED_BY(mutex_);
  uint64_t spooled_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t readable_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool stored_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  // By offset, so that news cost as much as the number of readers that they are for.
  std::map<std::pair<uint64_t, Reader*>, Callback> waiting_for_bytes_ ABSL_GUARDED_BY(mutex_);
  std::map<Reader*, Callback> waiting_for_size_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_FETCH_PROGRESS_H_
