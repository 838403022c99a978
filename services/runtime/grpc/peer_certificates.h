#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_PEER_CERTIFICATES_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_PEER_CERTIFICATES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/shared.pb.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/runtime/files/file_watcher.h"

namespace entrepot::runtime {

// The certificate, key and CA of a PeerTls for gRPC, read again when the files change. If new files cannot be used,
// that is logged, and the old contents stay in use. A connection keeps the contents with which it began.
//
// gRPC 1.51 can read such files itself, but uses them unchecked: if a key is replaced a moment after its certificate,
// every handshake in between fails. gRPC therefore gets the paths of files in memory, with contents that were checked.
//
// The gauge entrepot_tls_certificate_expiry_timestamp_seconds{use="peer"} shows the expiry of the leaf in use.
class PeerCertificates {
 public:
  // kInvalidArgument: a file cannot be read or used; the message names it.
  static absl::StatusOr<std::unique_ptr<PeerCertificates>> Create(const config::v1::PeerTls& tls,
                                                                  const std::shared_ptr<prometheus::Registry>& registry,
                                                                  absl::Duration poll_interval = absl::Seconds(1));

  // Leaves three files open.
  ~PeerCertificates() = default;

  PeerCertificates(const PeerCertificates&) = delete;
  PeerCertificates& operator=(const PeerCertificates&) = delete;

  // For credentials that this object must outlive.
  std::shared_ptr<grpc::experimental::CertificateProviderInterface> provider() const { return provider_; }

 private:
  PeerCertificates(const config::v1::PeerTls& tls, prometheus::Gauge* expiry);
  absl::Status Load(const absl::StatusOr<std::vector<std::string>>& contents);

  const config::v1::PeerTls tls_;
  prometheus::Gauge* const expiry_;
  // By PeerFile. Never closed: connections that are being closed keep gRPC's provider for a moment after this object is
  // destroyed, and the provider aborts the process if it finds no certificate.
  int files_[3] = {-1, -1, -1};
  FileWatcher watcher_;
  std::shared_ptr<grpc::experimental::CertificateProviderInterface> provider_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_PEER_CERTIFICATES_H_
