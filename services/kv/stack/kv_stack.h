#ifndef ENTREPOT_SERVICES_KV_STACK_KV_STACK_H_
#define ENTREPOT_SERVICES_KV_STACK_KV_STACK_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/shared.pb.h"
#include "prometheus/collectable.h"
#include "prometheus/registry.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

// Whether `directory` contains a KV store, one that Open() or Snapshot() made. The store may still be damaged. false if
// the directory is missing, unreadable, or contains something else.
bool HoldsKvStore(const std::string& directory);

// The engine that keeps a process's records, with its metrics.
class KvStack {
 public:
  // Receives the warnings and errors of an engine, one line a call, on any thread. `engine` is its name: "rocksdb".
  using EngineLog = std::function<void(absl::string_view engine, absl::string_view line)>;

  // Opens the store in `directory`, and creates it if there is none; for errors see RocksDbKvEngine::Open. Registers
  // the metrics of calls. `log` may be empty.
  //
  // This is the one place that decides which engine is used: another engine is another folder beside
  // services/kv/rocksdb and another KvStack here.
  static absl::StatusOr<std::unique_ptr<KvStack>> Open(const std::string& directory,
                                                       std::shared_ptr<prometheus::Registry> registry,
                                                       EngineLog log = {});

  // Opens the store that `records`, with its defaults filled in, names: that in `directory` if it names none. For
  // errors of a database see PostgresKvEngine::Open.
  static absl::StatusOr<std::unique_ptr<KvStack>> Open(const config::v1::RecordStore& records,
                                                       const std::string& directory,
                                                       std::shared_ptr<prometheus::Registry> registry,
                                                       EngineLog log = {});

  // How many files an engine keeps open at most.
  static size_t OpenFilesMax();

  // No call may be running.
  virtual ~KvStack() = default;

  virtual KvEngine* engine() = 0;
  // Whether other processes may write the same records at the same time. If not, what this process remembers of a
  // record is right until this process changes it.
  virtual bool shared() const = 0;
  // The engine's own metrics. The operator's metrics endpoint serves them together with the registry.
  virtual std::shared_ptr<prometheus::Collectable> engine_metrics() const = 0;
  // Makes a copy of all records as of one moment during the call. It contains every earlier commit, buffered ones too.
  // It consists of hard links if `directory` is in the same file system, and can be opened like the original.
  // `directory` must not exist (kAlreadyExists); its parent must. kFailedPrecondition if the records are in a database.
  virtual absl::Status Snapshot(const std::string& directory) = 0;
  // OK, or the reason why nothing can be written until a restart.
  virtual absl::Status Health() const = 0;
  // For readiness checks. OK, or the reason why new records cannot be written now: Health(), or the disk is nearly
  // full.
  virtual absl::Status CheckWritable() const = 0;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_STACK_KV_STACK_H_
