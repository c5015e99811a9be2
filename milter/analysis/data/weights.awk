# weights.awk - the weights of signature features as a C initialiser
#
# usage: awk -f weights.awk signature-weights.txt > signature-weights.inc
/^#/ || NF < 2 { next }
$1 == "threshold" { printf "#define SIGNATURE_THRESHOLD %s\n", $2; next }
{ printf "#define WEIGHT_%s %s\n", toupper($1), $2 }
