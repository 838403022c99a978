#include "services/manifest/maintenance/job_records.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::JobRecord;

// There are more than kKeptMax only until the next job is started.
constexpr size_t kReadMax = 1000;

absl::Time StartOf(const v1::Job& job) { return FromTimestamp(job.started_at()); }

}  // namespace

absl::Status JobRecords::Write(const v1::Job& job) {
  JobRecord record;
  record.set_job(job.SerializeAsString());
  *record.mutable_written_at() = ToTimestamp(clock_.Now());
  const std::string key = keys::Job(job.id());
  return kv_.Transact(
      {{.key = key}},
      [&](kv::KvTransaction& transaction) {
        kv::WriteRecord(transaction, key, record);
        return absl::OkStatus();
      },
      kv::Durability::kBuffered);
}

absl::StatusOr<std::optional<v1::Job>> JobRecords::Read(absl::string_view id) {
  const std::string key = keys::Job(id);
  ASSIGN_OR_RETURN(const std::optional<JobRecord> record, kv::ReadRecord<JobRecord>(kv_, key));
  if (!record.has_value()) return std::nullopt;
  return ToJob(key, *record);
}

absl::StatusOr<std::vector<v1::Job>> JobRecords::List() {
  ASSIGN_OR_RETURN(std::vector<Entry> entries, ReadAll());
  std::vector<v1::Job> jobs;
  for (Entry& entry : entries) jobs.push_back(std::move(entry.job));
  return jobs;
}

absl::Status JobRecords::RemoveOld() {
  ASSIGN_OR_RETURN(const std::vector<Entry> entries, ReadAll());
  std::vector<kv::Lock> locks;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i >= kKeptMax || clock_.Now() - entries[i].written_at > kKeptFor) locks.push_back({.key = entries[i].key});
  }
  if (locks.empty()) return absl::OkStatus();
  return kv_.Transact(
      locks,
      [&](kv::KvTransaction& transaction) {
        for (const kv::Lock& lock : locks) transaction.Delete(lock.key);
        return absl::OkStatus();
      },
      kv::Durability::kBuffered);
}

absl::StatusOr<v1::Job> JobRecords::ToJob(absl::string_view key, const JobRecord& record) const {
  v1::Job job;
  if (!job.ParseFromString(record.job())) return absl::DataLossError(absl::StrCat("the record of the job ", key));
  if (job.state() == v1::Job::RUNNING && clock_.Now() - FromTimestamp(record.written_at()) > kEndedAfter) {
    job.set_state(v1::Job::FAILED);
    job.set_error("the process that ran the job has ended");
    *job.mutable_ended_at() = record.written_at();
  }
  return job;
}

absl::StatusOr<std::vector<JobRecords::Entry>> JobRecords::ReadAll() {
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> found,
                   kv_.Scan({.prefix = keys::Jobs(), .start_after = "", .limit = kReadMax}));
  std::vector<Entry> entries;
  for (const kv::KeyValue& one : found) {
    ASSIGN_OR_RETURN(const JobRecord record, kv::ParseRecord<JobRecord>(one.key, one.value));
    ASSIGN_OR_RETURN(v1::Job job, ToJob(one.key, record));
    entries.push_back({.key = one.key, .written_at = FromTimestamp(record.written_at()), .job = std::move(job)});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return StartOf(a.job) > StartOf(b.job); });
  return entries;
}

}  // namespace entrepot::manifest
