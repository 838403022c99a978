#include "services/ctl/output/maintenance_text.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "services/ctl/output/table.h"
#include "services/ctl/output/terminal_output.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// The service counts only the first thousand.
const char* AtLeast(bool more) { return more ? "at least " : ""; }

std::string HistoryText(const v1::MaintenanceStatus& status) {
  if (status.history().empty()) return "no run has changed anything yet\n";
  Table table({"STARTED (UTC)", "TOOK", "REVIEWED", "CONDEMNED", "DELETED", "OBJECTS", "BYTES", "QUARANTINED",
               "ABANDONED", "ERROR"});
  for (const v1::Collection& run : status.history()) {
    const absl::Duration took = ToTime(run.ended_at()) - ToTime(run.started_at());
    table.Add({TimeText(run.started_at()), absl::FormatDuration(absl::Trunc(took, absl::Milliseconds(1))),
               absl::StrCat(run.reviewed()), absl::StrCat(run.condemned()), absl::StrCat(run.deleted()),
               absl::StrCat(run.swept()), SizeText(run.swept_bytes()), absl::StrCat(run.quarantined()),
               absl::StrCat(run.abandoned()), run.error()});
  }
  return table.ToString();
}

std::string UploadTotalsText(uint64_t sessions, uint64_t bytes) {
  return absl::StrCat(Counted(sessions, "open upload"), ", ", SizeText(bytes));
}

// Of a MaintenanceStatus or a Usage.
template <typename Report>
std::string UploadTotalsText(const Report& report) {
  if (!report.has_uploads()) return "not known: the blob service does not answer";
  return UploadTotalsText(report.uploads().sessions(), report.uploads().bytes());
}

// "2026-01-02 03:04:05", "2026-01-02 03:04:05 to 04:05:06", or with both dates.
std::string SpanText(const types::v1::Waiting& waiting) {
  if (!waiting.has_first_at()) return "";
  std::string first = TimeText(waiting.first_at());
  const std::string last = TimeText(waiting.last_at());
  if (first == last) return first;
  const size_t date = first.find(' ');
  const bool same_day = first.substr(0, date) == last.substr(0, date);
  return absl::StrCat(first, " to ", same_day ? last.substr(date + 1) : last);
}

void AddWaiting(absl::string_view what, const types::v1::Waiting& waiting, absl::string_view until,
                absl::string_view reason, Table* table) {
  if (waiting.count() == 0 && !waiting.more()) return;
  table->Add({std::string(what), absl::StrCat(AtLeast(waiting.more()), waiting.count()), SizeText(waiting.bytes()),
              std::string(until), std::string(reason)});
}

// What waits, and until when, of a MaintenanceStatus, a Collection or a Usage. `ran_now`: what is left by gc run --now.
template <typename Report>
std::string WaitsText(const Report& report, bool ran_now = false) {
  const v1::Waits& waits = report.waits();
  const types::v1::UploadTotals& uploads = report.uploads();
  Table table({"WAITS", "COUNT", "SIZE", "UNTIL (UTC)", "REASON"});
  AddWaiting("condemned blobs", waits.condemned(), SpanText(waits.condemned()), "grace: pulls may read them", &table);
  AddWaiting("unreferenced blobs", waits.leased(), SpanText(waits.leased()),
             "lease: pushes may need them; then a grace", &table);
  AddWaiting("deletable objects", waits.deletable(),
             waits.deletions_paused() ? "the end of the backup" : "the next run",
             waits.deletions_paused() ? "the backup may copy them" : "a run deletes them", &table);
  const std::string since = SpanText(waits.quarantined());
  AddWaiting("quarantined objects", waits.quarantined(), "a push or an operator",
             absl::StrCat("damaged, or without a record", since.empty() ? "" : "; since ", since), &table);
  AddWaiting("open uploads", uploads.idle(), SpanText(uploads.idle()), "they expire if no request follows", &table);
  AddWaiting("sealed uploads", uploads.sealed(), SpanText(uploads.sealed()), "pushes may commit them", &table);
  std::string text = table.empty() ? "nothing waits to be deleted\n" : table.ToString();
  if (const uint64_t in_use = uploads.sessions() - uploads.idle().count(); in_use > 0) {
    absl::StrAppend(&text, "requests use ", Counted(in_use, "upload"), " now\n");
  }
  if (waits.condemned().count() > 0) {
    absl::StrAppend(&text, ran_now ? "pulls may have found the condemned blobs less than a grace ago\n"
                                   : "gc run --now does not wait for graces\n");
  }
  if (waits.leased().count() > 0) {
    absl::StrAppend(&text, "no command skips leases: a push that runs may need the blobs\n");
  }
  if (waits.quarantined().count() > 0) {
    absl::StrAppend(&text, "a push of the same content heals a damaged blob; other quarantined objects stay\n");
  }
  return text;
}

std::string DoomedText(const v1::Collection& collection) {
  std::string text = absl::StrCat(Counted(collection.doomed_count(), "blob"), ", ", SizeText(collection.doomed_bytes()),
                                  ", would be deleted; nothing was changed\n");
  if (collection.doomed().empty()) return text;
  Table table({"BLOB", "SIZE", "STATE"});
  for (const v1::DoomedBlob& blob : collection.doomed()) {
    table.Add({blob.digest(), SizeText(blob.size_bytes()), blob.state()});
  }
  absl::StrAppend(&text, "\n", table.ToString());
  const uint64_t rest = collection.doomed_count() - static_cast<uint64_t>(collection.doomed_size());
  if (rest > 0) absl::StrAppend(&text, "and ", rest, " more\n");
  return text;
}

// With a column for the upstreams if one of the repositories caches one.
template <typename Repositories>
std::string UsageTableText(const Repositories& repositories) {
  const bool has_caches = std::any_of(repositories.begin(), repositories.end(),
                                      [](const auto& repository) { return !repository.cache_of().empty(); });
  std::vector<std::string> head = {"REPOSITORY", "BLOBS", "SIZE", "OWN", "MANIFESTS", "TAGS"};
  if (has_caches) head.insert(head.end(), {"CACHE OF", "LAST USED (UTC)"});
  Table table(std::move(head));
  for (const v1::Usage::Repository& repository : repositories) {
    std::vector<std::string> row = {repository.name(),
                                    absl::StrCat(repository.blobs()),
                                    SizeText(repository.bytes()),
                                    SizeText(repository.own_bytes()),
                                    absl::StrCat(repository.manifests()),
                                    absl::StrCat(repository.tags())};
    if (has_caches) {
      row.push_back(repository.cache_of());
      row.push_back(repository.has_last_used_at() ? TimeText(repository.last_used_at()) : "");
    }
    table.Add(std::move(row));
  }
  return table.ToString();
}

}  // namespace

std::string CollectionStatusText(const v1::MaintenanceStatus& status) {
  std::string text;
  for (const std::string& reason : status.held_back()) absl::StrAppend(&text, "HELD BACK: ", Printable(reason), "\n\n");
  absl::StrAppend(&text, "to be reviewed       ", AtLeast(status.more_queued()), Counted(status.queued(), "blob"),
                  ", in use or not, of them ", AtLeast(status.more_due()), status.due(), " due");
  if (status.has_oldest_due() && status.due() > 0) {
    absl::StrAppend(&text, ", the oldest since ", TimeText(status.oldest_due()));
  }
  absl::StrAppend(&text, "\nto be deleted        ", AtLeast(status.more_delete_intents()),
                  Counted(status.delete_intents(), "object"), ", ", SizeText(status.delete_intent_bytes()),
                  "\nunfinished           ", UploadTotalsText(status), "\nsettings             lease ",
                  Printable(status.lease()), ", grace ", Printable(status.grace()), ", ",
                  status.interval().empty() ? "runs only when it is told to"
                                            : absl::StrCat("runs every ", Printable(status.interval())),
                  "; an object without a record is quarantined at the age of ", Printable(status.orphan_age()), "\n\n");
  if (status.has_waits()) absl::StrAppend(&text, WaitsText(status), "\n");
  absl::StrAppend(&text, HistoryText(status));
  for (const v1::Job& job : status.jobs()) {
    if (job.state() != v1::Job::RUNNING) continue;
    absl::StrAppend(&text, "\njob ", Printable(job.id()), " (", Printable(job.kind()), ") runs since ",
                    TimeText(job.started_at()), job.progress().empty() ? "" : ": ", Printable(job.progress()), "\n");
  }
  return text;
}

std::string ScrubStatusText(const v1::MaintenanceStatus& status) {
  std::string text = status.scrub().has_started_at() ? ScrubText(status.scrub()) : "no pass has started yet\n";
  if (status.corrupt().empty()) return absl::StrCat(text, "no blob is corrupt\n");
  Table table({"CORRUPT BLOB", "SIZE", "FOUND (UTC)", "REPOSITORIES"});
  for (const v1::CorruptBlob& blob : status.corrupt()) {
    table.Add({blob.digest(), SizeText(blob.size_bytes()), TimeText(blob.found_at()),
               absl::StrJoin(blob.repositories(), ", ")});
  }
  return absl::StrCat(text, "\n", table.ToString(), "To repair a blob, push the same content again.\n");
}

std::string CollectionText(const v1::Collection& collection) {
  if (collection.dry_run()) return DoomedText(collection);
  std::string text =
      absl::StrCat("reviewed ", Counted(collection.reviewed(), "blob"), ", condemned ", collection.condemned(),
                   ", deleted ", collection.deleted(), "; deleted ", Counted(collection.swept(), "object"), ", ",
                   SizeText(collection.swept_bytes()), "\n");
  if (collection.now()) {
    absl::StrAppend(&text, "skipped the ", collection.graces_skipped() == 1 ? "grace" : "graces", " of ",
                    Counted(collection.graces_skipped(), "blob"), "\n");
  }
  if (collection.abandoned() > 0) {
    absl::StrAppend(&text, "dropped ", Counted(collection.abandoned(), "unfinished upload"), "\n");
  }
  if (collection.quarantined() > 0) {
    absl::StrAppend(&text, "quarantined ", Counted(collection.quarantined(), "unreferenced object"), "\n");
  }
  if (!collection.error().empty()) {
    absl::StrAppend(&text, "left for the next run: ", Printable(collection.error()), "\n");
  }
  if (collection.has_waits()) absl::StrAppend(&text, "\n", WaitsText(collection, collection.now()));
  return text;
}

std::string ScrubText(const v1::ScrubReport& report) {
  std::string text =
      absl::StrCat("pass of ", TimeText(report.started_at()), " UTC, ",
                   report.has_ended_at() ? absl::StrCat("ended ", TimeText(report.ended_at())) : std::string("running"),
                   ": ", Counted(report.verified(), "good blob"), ", ", SizeText(report.verified_bytes()));
  absl::StrAppend(&text, "; ", report.corrupt(), " corrupt, ", report.missing(), " missing");
  if (report.failed() > 0) absl::StrAppend(&text, ", ", report.failed(), " could not be verified");
  absl::StrAppend(&text, "\n");
  for (const v1::ScrubReport::Failure& failure : report.failures()) {
    absl::StrAppend(&text, "  ", Printable(failure.digest()), ": ", Printable(failure.error()), "\n");
  }
  return text;
}

std::string InvariantsText(const v1::InvariantReport& report) {
  std::string text;
  for (const std::string& line : report.violations()) absl::StrAppend(&text, Printable(line), "\n");
  absl::StrAppend(&text, report.violations().empty() ? "no violations" : Counted(report.violations_size(), "violation"),
                  ": ", Counted(report.blobs(), "blob"), ", ", Counted(report.manifests(), "manifest"));
  if (report.rehashed_bytes() > 0) absl::StrAppend(&text, ", ", SizeText(report.rehashed_bytes()), " read again");
  if (report.absent() > 0) {
    absl::StrAppend(&text, "; manifests refer to ", report.absent(),
                    " absent blobs or manifests, which is not a violation");
  }
  return text + "\n";
}

std::string RepositoryUsageText(const v1::Usage::Repository& repository) {
  return UsageTableText(std::vector<v1::Usage::Repository>{repository});
}

std::string UsageText(const v1::Usage& usage) {
  std::string text = UsageTableText(usage.repositories());
  const uint64_t rest = usage.repository_count() - static_cast<uint64_t>(usage.repositories_size());
  if (rest > 0) absl::StrAppend(&text, "and ", rest, " smaller repositories\n");
  const uint64_t linked_once = usage.stored_bytes() - usage.unlinked_bytes();
  const uint64_t saved = usage.linked_bytes() > linked_once ? usage.linked_bytes() - linked_once : 0;
  absl::StrAppend(&text, "\nstored  ", SizeText(usage.stored_bytes()), " in ", Counted(usage.blobs(), "blob"),
                  "\nsaved   ", SizeText(saved), " by storing each blob once\ngarbage ",
                  SizeText(usage.unlinked_bytes()), " in no repository\nuploads ", UploadTotalsText(usage), "\n");
  if (usage.has_waits()) absl::StrAppend(&text, "\n", WaitsText(usage));
  return text;
}

std::string UploadListText(const types::v1::UploadList& list) {
  uint64_t bytes = 0;
  Table table({"UPLOAD", "REPOSITORY", "ACCOUNT", "RECEIVED", "STARTED (UTC)", "LAST REQUEST", "EXPIRES"});
  for (const types::v1::OpenUpload& upload : list.uploads()) {
    bytes += upload.received_bytes();
    table.Add({upload.id(), upload.repository(), upload.account().empty() ? upload.client() : upload.account(),
               SizeText(upload.received_bytes()), TimeText(upload.started_at()),
               upload.in_use() ? "in use" : TimeText(upload.touched_at()),
               upload.in_use() ? "" : TimeText(upload.expires_at())});
  }
  const std::string totals = absl::StrCat(UploadTotalsText(static_cast<uint64_t>(list.uploads_size()), bytes), "\n");
  return list.uploads().empty() ? totals : absl::StrCat(table.ToString(), "\n", totals);
}

std::string CancelledUploadsText(const types::v1::CancelledUploads& cancelled) {
  const std::string in_use = cancelled.in_use() == 0 ? ""
                             : cancelled.in_use() == 1
                                 ? "; 1 upload in use ends with its request"
                                 : absl::StrCat("; ", cancelled.in_use(), " uploads in use end with their requests");
  return absl::StrCat("cancelled ", Counted(cancelled.cancelled(), "upload"), in_use, "\n");
}

std::string RetentionText(const v1::RetentionReport& report) {
  std::string text;
  if (!report.removals().empty()) {
    Table table({"REPOSITORY", report.dry_run() ? "WOULD GO" : "REMOVED", "REASON"});
    for (const v1::RetentionReport::Removal& removal : report.removals()) {
      table.Add({removal.repository(), removal.what(), removal.reason()});
    }
    text = absl::StrCat(table.ToString(), "\n");
  }
  absl::StrAppend(&text, Counted(report.tags(), "tag"), " and ", Counted(report.manifests(), "manifest"),
                  report.dry_run() ? " would be removed; nothing was changed" : " removed");
  if (report.kept_immutable() > 0) {
    absl::StrAppend(&text, "; kept ", Counted(report.kept_immutable(), "immutable tag"));
  }
  return text + "\n";
}

}  // namespace entrepot::ctl
