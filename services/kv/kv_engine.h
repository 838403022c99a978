#ifndef ENTREPOT_SERVICES_KV_KV_ENGINE_H_
#define ENTREPOT_SERVICES_KV_KV_ENGINE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace entrepot::kv {

struct KeyValue {
  std::string key;
  std::string value;

  friend bool operator==(const KeyValue&, const KeyValue&) = default;
};

// The keys that start with `prefix` and are greater than `start_after`, in bytewise order, at most `limit` of them.
struct ScanOptions {
  std::string prefix = {};
  // A whole key (prefix included), or empty for the first one. Need not exist.
  std::string start_after = {};
  size_t limit = 1000;
};

// For engines: the least key that a scan may return. It may lie behind all keys with the prefix.
std::string ScanBegin(const ScanOptions& options);
// For engines: the least key that is greater than all keys with that prefix; empty if there is none (an empty prefix,
// or one of 0xff bytes only).
std::string PrefixEnd(absl::string_view prefix);

enum class LockMode { kShared, kExclusive };

struct Lock {
  std::string key;
  LockMode mode = LockMode::kExclusive;
};

// When a commit is durable.
enum class Durability {
  // The log is synced before Transact returns: a power cut loses nothing.
  kSynced,
  // Survives the process, not a power cut. A later synced commit makes it durable too.
  kBuffered,
};

// What a store's reads look like, alone or within a transaction.
class KvReader {
 public:
  virtual ~KvReader() = default;
  // nullopt where there is no such key.
  virtual absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) = 0;
  // One answer a key, in their order.
  virtual absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) = 0;
  virtual absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) = 0;
};

// Passed to a transaction's function; dies with it. Its reads see what is committed now (not an older snapshot) and
// the transaction's own writes. Not thread-safe.
class KvTransaction : public KvReader {
 public:
  virtual void Put(absl::string_view key, absl::string_view value) = 0;
  // A key that is not there is no error.
  virtual void Delete(absl::string_view key) = 0;
};

// An ordered map from bytes to bytes with transactions: the smallest contract that an embedded engine and a shared
// database both keep, proved by kv_conformance. Thread-safe. Calls block; Transact may wait for a disk.
//
// Status codes: kUnavailable: the engine cannot be reached or has stopped after an I/O error; kDataLoss: stored bytes
// are corrupt; kAborted: see Transact. A missing key is never an error.
class KvEngine : public KvReader {
 public:
  using Function = std::function<absl::Status(KvTransaction&)>;

  // Takes `locks` in key order, whether or not the keys exist (a key named twice is locked once, exclusively if either
  // asks for that), runs `fn`, and commits its writes atomically; durable as `durability` says before it returns.
  // Where fn returns an error nothing is written and that error is returned. kAborted, from fn or from the engine
  // (a lock waited for too long, a deadlock, a lost conflict), means "run it again": Transact itself retries a bounded
  // number of times with jittered delays before it gives kAborted up to the caller, so fn may run more than once.
  //
  // No range predicates: what must not change while a range is read is guarded by a lock on its parent key.
  // Writing a key that is not locked is allowed where no one else writes it; writing one that is locked in shared mode
  // is a mistake: kInternal, and nothing is written. A transaction that wrote nothing waits for no disk.
  virtual absl::Status Transact(std::vector<Lock> locks, const Function& fn,
                                Durability durability = Durability::kSynced) = 0;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_KV_ENGINE_H_
