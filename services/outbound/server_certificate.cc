#include "services/outbound/server_certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <utility>

namespace entrepot::outbound {
namespace {

using Holder = std::shared_ptr<CertificateRecord>;

// Untrusted lists are cut.
constexpr int kHostsMax = 20;

void FreeHolder(void*, void* holder, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Holder*>(holder); }

int HolderIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeHolder);
  return index;
}

std::string TextOf(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  if (bio == nullptr || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) < 0) return "";
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return size > 0 ? std::string(text, static_cast<size_t>(size)) : "";
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm parts = {};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? absl::FromTM(parts, absl::UTCTimeZone()) : absl::InfinitePast();
}

std::string HostOf(const GENERAL_NAME& name) {
  const ASN1_STRING* const text = name.type == GEN_DNS ? name.d.dNSName : name.type == GEN_IPADD ? name.d.ip : nullptr;
  if (text == nullptr) return "";
  const unsigned char* const bytes = ASN1_STRING_get0_data(text);
  const int size = ASN1_STRING_length(text);
  if (name.type == GEN_DNS) return std::string(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  char printed[INET6_ADDRSTRLEN] = "";
  if (size == 4) inet_ntop(AF_INET, bytes, printed, sizeof(printed));
  if (size == 16) inet_ntop(AF_INET6, bytes, printed, sizeof(printed));
  return printed;
}

std::vector<std::string> HostsOf(const X509& certificate) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  std::vector<std::string> hosts;
  const int count = names != nullptr ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count && i < kHostsMax; ++i) {
    std::string host = HostOf(*sk_GENERAL_NAME_value(names.get(), i));
    if (!host.empty()) hosts.push_back(std::move(host));
  }
  return hosts;
}

// Is called for each certificate of the chain, and for each problem; the server's own one comes last.
int Verified(int trusted, X509_STORE_CTX* context) {
  const auto* const ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const holder = static_cast<Holder*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), HolderIndex()));
  const X509* const certificate = X509_STORE_CTX_get0_cert(context);
  if (holder == nullptr || certificate == nullptr) return trusted;
  auto record = std::make_shared<ServerCertificate>();
  record->subject = TextOf(X509_get_subject_name(certificate));
  record->issuer = TextOf(X509_get_issuer_name(certificate));
  record->hosts = HostsOf(*certificate);
  record->not_before = TimeOf(X509_get0_notBefore(certificate));
  record->not_after = TimeOf(X509_get0_notAfter(certificate));
  if (trusted == 0) record->problem = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  (*holder)->Set(std::move(record));
  return trusted;
}

}  // namespace

void CertificateRecord::RecordOn(void* ssl_ctx) {
  auto* const context = static_cast<SSL_CTX*>(ssl_ctx);
  auto* const holder = new Holder(shared_from_this());
  if (SSL_CTX_set_ex_data(context, HolderIndex(), holder) != 1) {
    delete holder;
    return;
  }
  SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), Verified);
}

std::shared_ptr<const ServerCertificate> CertificateRecord::last() const {
  const absl::MutexLock lock(&mutex_);
  return last_;
}

void CertificateRecord::Set(std::shared_ptr<const ServerCertificate> certificate) {
  const absl::MutexLock lock(&mutex_);
  last_ = std::move(certificate);
}

}  // namespace entrepot::outbound
