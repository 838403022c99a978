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
  // A complete key, with the prefix; empty to start with the first one. It need not exist.
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

// Whether a read may wait for the disk.
enum class ReadTier {
  // Only what is in memory. Status NotInMemory() if the disk is needed: then read again from kDisk, on a thread
  // that may wait.
  kMemory,
  kDisk,
};

// kUnavailable, distinguishable from all other statuses.
absl::Status NotInMemory();
bool IsNotInMemory(const absl::Status& status);

// The reads of an engine, and of a transaction.
class KvReader {
 public:
  virtual ~KvReader() = default;
  // nullopt if the key does not exist.
  virtual absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) = 0;
  // One value for each key, in the order of `keys`.
  virtual absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) = 0;
  virtual absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) = 0;
};

// The transaction that a function of Transact works on; valid until the function returns. Reads see the latest commits
// (not an older snapshot) and the transaction's own writes. Not thread-safe.
class KvTransaction : public KvReader {
 public:
  virtual void Put(absl::string_view key, absl::string_view value) = 0;
  // OK if the key does not exist.
  virtual void Delete(absl::string_view key) = 0;
};

// An ordered map from bytes to bytes with transactions. The contract is the smallest one that an embedded engine and a
// shared database can both keep; kv_conformance tests it. Thread-safe. Calls block; Transact may wait for a disk.
//
// Status codes: kUnavailable if the engine cannot be reached, or has stopped after an I/O error; kDataLoss if stored
// bytes are corrupt; kAborted: see Transact. A missing key is never an error.
//
// A new engine is a folder beside services/kv/rocksdb; its test instantiates kv_conformance, and KvStack::Open is the
// one place that makes it.
class KvEngine : public KvReader {
 public:
  using Function = std::function<absl::Status(KvTransaction&)>;

  // Takes `locks` in key order, whether or not the keys exist, runs `fn`, and commits its writes atomically, with the
  // given durability. A key that is listed twice is locked once, exclusively if either lock is exclusive. If `fn`
  // returns an error, nothing is written and Transact returns that error.
  //
  // kAborted, from `fn` or from the engine (a lock timeout, a deadlock, a conflict), means that the transaction may be
  // retried. Transact itself retries a bounded number of times with jittered delays before it returns kAborted, so `fn`
  // may run more than once.
  //
  // There are no range predicates: to keep a range unchanged while it is read, lock its parent key. Keys may be written
  // without a lock if no other transaction writes them. Writing a key that is locked in shared mode is a programming
  // error: kInternal, and nothing is written. A transaction without writes does not wait for the disk.
  virtual absl::Status Transact(std::vector<Lock> locks, const Function& fn,
                                Durability durability = Durability::kSynced) = 0;

  // Get() and MultiGet() of it never wait for the disk (ReadTier::kMemory). Scan() is not for it. An engine that cannot
  // tell what is in memory returns itself.
  virtual KvReader& in_memory() { return *this; }
  KvReader& reader(ReadTier tier) { return tier == ReadTier::kMemory ? in_memory() : *this; }
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_KV_ENGINE_H_
