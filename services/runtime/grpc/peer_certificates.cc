#include "services/runtime/grpc/peer_certificates.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "prometheus/family.h"
#include "services/core/files/owned_fd.h"
#include "services/runtime/files/secret_file.h"
#include "services/runtime/tls/peer_files.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {
namespace {

// How often gRPC reads the files in memory.
constexpr unsigned kGrpcPollSeconds = 1;

absl::StatusOr<OwnedFd> FileInMemory(absl::string_view contents) {
  OwnedFd fd(::memfd_create("entrepot-peer-tls", MFD_CLOEXEC));
  if (fd.get() < 0) return absl::ErrnoToStatus(errno, "memfd_create");
  while (!contents.empty()) {
    const ssize_t written = ::write(fd.get(), contents.data(), contents.size());
    if (written < 0) return absl::ErrnoToStatus(errno, "write to a memfd");
    contents.remove_prefix(static_cast<size_t>(written));
  }
  return fd;
}

// Keeps the descriptor number of `file`, so that its path does not change.
absl::Status Replace(absl::string_view contents, int* file) {
  ASSIGN_OR_RETURN(OwnedFd fresh, FileInMemory(contents));
  if (*file < 0) {
    *file = fresh.release();
  } else if (::dup3(fresh.get(), *file, O_CLOEXEC) < 0) {
    return absl::ErrnoToStatus(errno, "dup3");
  }
  return absl::OkStatus();
}

std::string PathOf(int file) { return absl::StrCat("/proc/self/fd/", file); }

}  // namespace

absl::StatusOr<std::unique_ptr<PeerCertificates>> PeerCertificates::Create(
    const config::v1::PeerTls& tls, const std::shared_ptr<prometheus::Registry>& registry,
    absl::Duration poll_interval) {
  prometheus::Gauge& expiry = prometheus::BuildGauge()
                                  .Name("entrepot_tls_certificate_expiry_timestamp_seconds")
                                  .Help("When the certificate in use expires, in seconds since 1970.")
                                  .Register(*registry)
                                  .Add({{"use", "peer"}});
  std::unique_ptr<PeerCertificates> certificates(new PeerCertificates(tls, &expiry));
  RETURN_IF_ERROR(certificates->watcher_.Start(poll_interval));
  certificates->provider_ = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      PathOf(certificates->files_[kPeerPrivateKey]), PathOf(certificates->files_[kPeerCertificate]),
      PathOf(certificates->files_[kPeerCa]), kGrpcPollSeconds);
  return certificates;
}

PeerCertificates::PeerCertificates(const config::v1::PeerTls& tls, prometheus::Gauge* expiry)
    : tls_(tls),
      expiry_(expiry),
      watcher_("peer certificate", PeerFilePaths(tls), [this](const auto& contents) { return Load(contents); }) {}

absl::Status PeerCertificates::Load(const absl::StatusOr<std::vector<std::string>>& contents) {
  ASSIGN_OR_RETURN(const double expiry, CheckPeerFileContents(tls_, contents));
  WarnIfOpenToOthers(tls_.private_key_file());
  for (const PeerFile file : {kPeerCertificate, kPeerPrivateKey, kPeerCa})
    RETURN_IF_ERROR(Replace((*contents)[file], &files_[file]));
  expiry_->Set(expiry);
  return absl::OkStatus();
}

}  // namespace entrepot::runtime
