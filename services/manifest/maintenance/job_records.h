#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_JOB_RECORDS_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_JOB_RECORDS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// The jobs of all processes that share the records, so that each can answer questions about a job that another one
// runs. Thread-safe; calls block on the KV.
class JobRecords {
 public:
  // A process writes the jobs that it runs at least this often.
  static constexpr absl::Duration kWrittenEvery = absl::Seconds(20);
  // A running job that was not written for so long has ended with its process. Longer than clocks may differ.
  static constexpr absl::Duration kEndedAfter = absl::Minutes(6);
  static constexpr absl::Duration kKeptFor = absl::Hours(24);
  static constexpr size_t kKeptMax = 100;

  // Both must outlive it.
  JobRecords(kv::KvEngine* kv, const Clock* clock) : kv_(*kv), clock_(*clock) {}

  absl::Status Write(const v1::Job& job);
  // A job that has ended with its process is FAILED. nullopt: there is none.
  absl::StatusOr<std::optional<v1::Job>> Read(absl::string_view id);
  // All of the last day, newest first.
  absl::StatusOr<std::vector<v1::Job>> List();
  // Removes those that are older than kKeptFor, and more than kKeptMax.
  absl::Status RemoveOld();

 private:
  struct Entry {
    std::string key;
    absl::Time written_at;
    v1::Job job;
  };

  absl::StatusOr<v1::Job> ToJob(absl::string_view key, const storage::v1::JobRecord& record) const;
  // Newest first.
  absl::StatusOr<std::vector<Entry>> ReadAll();

  kv::KvEngine& kv_;
  const Clock& clock_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_JOB_RECORDS_H_
