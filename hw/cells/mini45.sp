* Subcircuits of the 45 nm cells, generated from their description.
.subckt INV_X1 A Y vdd vss
m0 Y A vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 Y A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
co0 Y vss 0.25f
.ends INV_X1

.subckt INV_X2 A Y vdd vss
m0 Y A vss vss NMOS_VTG l=0.05u w=0.8u ad=0.08p as=0.08p pd=1.8u ps=1.8u
m1 Y A vdd vdd PMOS_VTG l=0.05u w=1.2u ad=0.12p as=0.12p pd=2.6u ps=2.6u
co0 Y vss 0.25f
.ends INV_X2

.subckt INV_X4 A Y vdd vss
m0 Y A vss vss NMOS_VTG l=0.05u w=1.6u ad=0.16p as=0.16p pd=3.4u ps=3.4u
m1 Y A vdd vdd PMOS_VTG l=0.05u w=2.4u ad=0.24p as=0.24p pd=5u ps=5u
co0 Y vss 0.25f
.ends INV_X4

.subckt BUF_X1 A Y vdd vss
m0 n A vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 n A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m2 Y n vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 Y n vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 n vss 0.1f
co0 Y vss 0.25f
.ends BUF_X1

.subckt BUF_X2 A Y vdd vss
m0 n A vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 n A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m2 Y n vss vss NMOS_VTG l=0.05u w=0.8u ad=0.08p as=0.08p pd=1.8u ps=1.8u
m3 Y n vdd vdd PMOS_VTG l=0.05u w=1.2u ad=0.12p as=0.12p pd=2.6u ps=2.6u
c0 n vss 0.1f
co0 Y vss 0.25f
.ends BUF_X2

.subckt NAND2_X1 A B Y vdd vss
m0 Y A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 x0_0 B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 Y A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m3 Y B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 x0_0 vss 0.1f
co0 Y vss 0.25f
.ends NAND2_X1

.subckt NAND2_X2 A B Y vdd vss
m0 Y A x0_0 vss NMOS_VTG l=0.05u w=0.8u ad=0.08p as=0.08p pd=1.8u ps=1.8u
m1 x0_0 B vss vss NMOS_VTG l=0.05u w=0.8u ad=0.08p as=0.08p pd=1.8u ps=1.8u
m2 Y A vdd vdd PMOS_VTG l=0.05u w=1.2u ad=0.12p as=0.12p pd=2.6u ps=2.6u
m3 Y B vdd vdd PMOS_VTG l=0.05u w=1.2u ad=0.12p as=0.12p pd=2.6u ps=2.6u
c0 x0_0 vss 0.1f
co0 Y vss 0.25f
.ends NAND2_X2

.subckt NAND3_X1 A B C Y vdd vss
m0 Y A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 x0_0 B x0_1 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 x0_1 C vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 Y A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m4 Y B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m5 Y C vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 x0_0 vss 0.1f
c1 x0_1 vss 0.1f
co0 Y vss 0.25f
.ends NAND3_X1

.subckt NAND4_X1 A B C D Y vdd vss
m0 Y A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 x0_0 B x0_1 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 x0_1 C x0_2 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 x0_2 D vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m4 Y A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m5 Y B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m6 Y C vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m7 Y D vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 x0_0 vss 0.1f
c1 x0_1 vss 0.1f
c2 x0_2 vss 0.1f
co0 Y vss 0.25f
.ends NAND4_X1

.subckt NOR2_X1 A B Y vdd vss
m0 Y A vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 Y B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 Y A x2_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m3 x2_0 B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 x2_0 vss 0.1f
co0 Y vss 0.25f
.ends NOR2_X1

.subckt NOR2_X2 A B Y vdd vss
m0 Y A vss vss NMOS_VTG l=0.05u w=0.8u ad=0.08p as=0.08p pd=1.8u ps=1.8u
m1 Y B vss vss NMOS_VTG l=0.05u w=0.8u ad=0.08p as=0.08p pd=1.8u ps=1.8u
m2 Y A x2_0 vdd PMOS_VTG l=0.05u w=1.2u ad=0.12p as=0.12p pd=2.6u ps=2.6u
m3 x2_0 B vdd vdd PMOS_VTG l=0.05u w=1.2u ad=0.12p as=0.12p pd=2.6u ps=2.6u
c0 x2_0 vss 0.1f
co0 Y vss 0.25f
.ends NOR2_X2

.subckt NOR3_X1 A B C Y vdd vss
m0 Y A vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 Y B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 Y C vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 Y A x3_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m4 x3_0 B x3_1 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m5 x3_1 C vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 x3_0 vss 0.1f
c1 x3_1 vss 0.1f
co0 Y vss 0.25f
.ends NOR3_X1

.subckt AND2_X1 A B Y vdd vss
m0 n A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 x0_0 B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 n A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m3 n B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m4 Y n vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m5 Y n vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 n vss 0.1f
c1 x0_0 vss 0.1f
co0 Y vss 0.25f
.ends AND2_X1

.subckt AND3_X1 A B C Y vdd vss
m0 n A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 x0_0 B x0_1 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 x0_1 C vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 n A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m4 n B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m5 n C vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m6 Y n vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m7 Y n vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 n vss 0.1f
c1 x0_0 vss 0.1f
c2 x0_1 vss 0.1f
co0 Y vss 0.25f
.ends AND3_X1

.subckt OR2_X1 A B Y vdd vss
m0 n A vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 n B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 n A x2_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m3 x2_0 B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m4 Y n vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m5 Y n vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 n vss 0.1f
c1 x2_0 vss 0.1f
co0 Y vss 0.25f
.ends OR2_X1

.subckt AOI21_X1 A B C Y vdd vss
m0 Y A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 x0_0 B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 Y C vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 Y A x3_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m4 Y B x3_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m5 x3_0 C vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 x0_0 vss 0.1f
c1 x3_0 vss 0.1f
co0 Y vss 0.25f
.ends AOI21_X1

.subckt AOI22_X1 A B C D Y vdd vss
m0 Y A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 x0_0 B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 Y C x2_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 x2_0 D vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m4 Y A x4_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m5 Y B x4_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m6 x4_0 C vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m7 x4_0 D vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 x0_0 vss 0.1f
c1 x2_0 vss 0.1f
c2 x4_0 vss 0.1f
co0 Y vss 0.25f
.ends AOI22_X1

.subckt OAI21_X1 A B C Y vdd vss
m0 Y A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 Y B x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 x0_0 C vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 Y A x3_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m4 x3_0 B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m5 Y C vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 x0_0 vss 0.1f
c1 x3_0 vss 0.1f
co0 Y vss 0.25f
.ends OAI21_X1

.subckt OAI22_X1 A B C D Y vdd vss
m0 Y A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 Y B x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 x0_0 C vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 x0_0 D vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m4 Y A x4_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m5 x4_0 B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m6 Y C x6_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m7 x6_0 D vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 x0_0 vss 0.1f
c1 x4_0 vss 0.1f
c2 x6_0 vss 0.1f
co0 Y vss 0.25f
.ends OAI22_X1

.subckt XOR2_X1 A B Y vdd vss
m0 n A vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 n B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 n A x2_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m3 x2_0 B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m4 Y A x4_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m5 x4_0 B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m6 Y n vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m7 Y A x7_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m8 Y B x7_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m9 x7_0 n vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 n vss 0.1f
c1 x2_0 vss 0.1f
c2 x4_0 vss 0.1f
c3 x7_0 vss 0.1f
co0 Y vss 0.25f
.ends XOR2_X1

.subckt XNOR2_X1 A B Y vdd vss
m0 n A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 x0_0 B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 n A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m3 n B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m4 Y A x4_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m5 Y B x4_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m6 x4_0 n vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m7 Y A x7_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m8 x7_0 B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m9 Y n vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 n vss 0.1f
c1 x0_0 vss 0.1f
c2 x4_0 vss 0.1f
c3 x7_0 vss 0.1f
co0 Y vss 0.25f
.ends XNOR2_X1

.subckt MUX2_X1 A B S Y vdd vss
m0 sn S vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 sn S vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m2 n A x2_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 x2_0 sn vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m4 n B x4_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m5 x4_0 S vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m6 n A x6_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m7 n sn x6_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m8 x6_0 B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m9 x6_0 S vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m10 Y n vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m11 Y n vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 sn vss 0.1f
c1 n vss 0.1f
c2 x2_0 vss 0.1f
c3 x4_0 vss 0.1f
c4 x6_0 vss 0.1f
co0 Y vss 0.25f
.ends MUX2_X1

.subckt HA_X1 A B CO S vdd vss
m0 con A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 x0_0 B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 con A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m3 con B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m4 sn A x4_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m5 sn B x4_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m6 x4_0 con vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m7 sn A x7_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m8 x7_0 B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m9 sn con vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m10 CO con vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m11 CO con vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m12 S sn vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m13 S sn vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 con vss 0.1f
c1 x0_0 vss 0.1f
c2 sn vss 0.1f
c3 x4_0 vss 0.1f
c4 x7_0 vss 0.1f
co0 CO vss 0.25f
co1 S vss 0.25f
.ends HA_X1

.subckt FA_X1 A B CI CO S vdd vss
m0 con A x0_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 x0_0 B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m2 con CI x2_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 x2_0 A vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m4 x2_0 B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m5 con A x5_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m6 x5_0 B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m7 con CI x7_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m8 x7_0 A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m9 x7_0 B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m10 sn A x10_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m11 x10_0 B x10_1 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m12 x10_1 CI vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m13 sn con x13_0 vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m14 x13_0 A vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m15 x13_0 B vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m16 x13_0 CI vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m17 sn A x17_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m18 x17_0 B x17_1 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m19 x17_1 CI vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m20 sn con x20_0 vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m21 x20_0 A vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m22 x20_0 B vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m23 x20_0 CI vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m24 CO con vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m25 CO con vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m26 S sn vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m27 S sn vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 con vss 0.1f
c1 x0_0 vss 0.1f
c2 x2_0 vss 0.1f
c3 x5_0 vss 0.1f
c4 x7_0 vss 0.1f
c5 sn vss 0.1f
c6 x10_0 vss 0.1f
c7 x10_1 vss 0.1f
c8 x13_0 vss 0.1f
c9 x17_0 vss 0.1f
c10 x17_1 vss 0.1f
c11 x20_0 vss 0.1f
co0 CO vss 0.25f
co1 S vss 0.25f
.ends FA_X1

.subckt DFF_X1 D CK Q vdd vss
m0 cn CK vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m1 cn CK vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m2 c cn vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m3 c cn vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m4 dn D vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m5 dn D vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m6 dn cn m vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m7 dn c m vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m8 mb m vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m9 mb m vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m10 m c y10n vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m11 y10n mb vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m12 m cn y10p vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m13 y10p mb vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m14 mb c s vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m15 mb cn s vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m16 sb s vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m17 sb s vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m18 s cn y18n vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m19 y18n sb vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m20 s c y18p vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m21 y18p sb vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
m22 Q sb vss vss NMOS_VTG l=0.05u w=0.4u ad=0.04p as=0.04p pd=1u ps=1u
m23 Q sb vdd vdd PMOS_VTG l=0.05u w=0.6u ad=0.06p as=0.06p pd=1.4u ps=1.4u
c0 cn vss 0.1f
c1 c vss 0.1f
c2 dn vss 0.1f
c3 m vss 0.1f
c4 mb vss 0.1f
c5 y10n vss 0.1f
c6 y10p vss 0.1f
c7 s vss 0.1f
c8 sb vss 0.1f
c9 y18n vss 0.1f
c10 y18p vss 0.1f
co0 Q vss 0.25f
.ends DFF_X1
