#ifndef ENTREPOT_SERVICES_RUNTIME_TLS_CERTIFICATE_RELOADER_H_
#define ENTREPOT_SERVICES_RUNTIME_TLS_CERTIFICATE_RELOADER_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "boost/asio/ssl/context.hpp"
#include "entrepot/config/v1/shared.pb.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/runtime/files/file_watcher.h"

namespace entrepot::runtime {

// A server's certificate and key, read again when the files change (Kubernetes replaces a symbolic link, ACME clients
// rename files). A connection keeps the context with which it began; new ones use context().
//
// The gauge entrepot_tls_certificate_expiry_timestamp_seconds shows the expiry of the leaf in use. Thread-safe.
class CertificateReloader {
 public:
  // Loads the pair, and reads the files again every `poll_interval`; if that is zero, only ReloadIfChanged() does.
  // kInvalidArgument: a file cannot be read or is not PEM, or the two do not belong together; the message names the
  // file.
  static absl::StatusOr<std::unique_ptr<CertificateReloader>> Create(
      const config::v1::TlsCertificate& files, const std::shared_ptr<prometheus::Registry>& registry,
      absl::Duration poll_interval = absl::Seconds(1));

  CertificateReloader(const CertificateReloader&) = delete;
  CertificateReloader& operator=(const CertificateReloader&) = delete;

  // TLS 1.2 and 1.3, ciphers with forward secrecy, ALPN "http/1.1". Never null. A context does not change once it has
  // been returned.
  std::shared_ptr<boost::asio::ssl::context> context() const;

  // Loads the files if their contents have changed, as happens every poll_interval. If the pair cannot be used, that is
  // logged once, the old one stays in place, and the error is returned. OK if nothing has changed.
  absl::Status ReloadIfChanged();

 private:
  CertificateReloader(config::v1::TlsCertificate files, prometheus::Gauge* expiry);
  absl::Status Load(const absl::StatusOr<std::vector<std::string>>& contents);

  const config::v1::TlsCertificate files_;
  prometheus::Gauge* const expiry_;

  mutable std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> context_;  // Guarded by mutex_.
  // Last, so that no load is in progress when the other members are destroyed.
  FileWatcher watcher_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_TLS_CERTIFICATE_RELOADER_H_
