#ifndef ENTREPOT_SERVICES_CTL_OUTPUT_TABLE_H_
#define ENTREPOT_SERVICES_CTL_OUTPUT_TABLE_H_

#include <string>
#include <vector>

namespace entrepot::ctl {

// Columns of text below a header, two spaces apart and as wide as their widest cell, which is measured in characters of
// UTF-8. Cells are made Printable(); an empty cell becomes "-".
class Table {
 public:
  explicit Table(std::vector<std::string> header);

  // As many cells as the header has.
  void Add(std::vector<std::string> row);

  // Whether it has only its header.
  bool empty() const { return rows_.size() == 1; }
  // Each line ends with a newline; there are no spaces before it.
  std::string ToString() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_OUTPUT_TABLE_H_
